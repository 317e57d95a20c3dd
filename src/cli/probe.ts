import { get as httpGet } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { get as httpsGet } from 'node:https';
import { clearTimeout, setTimeout } from '../lib/timers.ts';

/** A response that was read whole. */
export interface ProbeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Undefined when the body is not JSON. */
  readonly json: unknown;
}

const TIMEOUT_MS = 5000;
const MAX_BODY = 1024 * 1024;

/**
 * Gets JSON by node:http, which loads in a quarter of the time of `fetch`. Does not verify certificates: use it for what
 * may be public, and to find out which gateway answers.
 * @param url - http or https
 * @param signal - ends it
 * @throws an Error with the code `ETIMEDOUT` when the whole response is not there within 5 s
 */
export function probe(url: URL, signal?: AbortSignal): Promise<ProbeResponse> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, rejectUnauthorized: false, signal };
    const request = url.protocol === 'https:' ? httpsGet(url, options) : httpGet(url, options);
    const timer = setTimeout(() => request.destroy(timedOut()), TIMEOUT_MS);
    request.once('error', reject);
    request.once('close', () => {
      clearTimeout(timer);
    });
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_BODY) request.destroy();
      });
      response.once('error', reject);
      response.once('end', () => {
        const { headers, statusCode: status = 0 } = response;
        resolve({ status, headers, json: parseJson(text) });
      });
    });
  });
}

/** @returns the error of a host that does not answer */
export function timedOut(): Error {
  return Object.assign(new Error('no response'), { code: 'ETIMEDOUT' });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @returns the URL of a path below an endpoint, which may have a path of its own */
export function below(endpoint: string, path: string): URL {
  return new URL(endpoint.replace(/\/+$/, '') + path);
}

/** @returns the id of the gateway at an endpoint; undefined when no gateway of this version answers */
export async function askGatewayId(endpoint: string): Promise<string | undefined> {
  const { json } = await probe(below(endpoint, '/_gateway/health/live'));
  const found: Partial<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? json : {};
  return typeof found['gatewayId'] === 'string' ? found['gatewayId'] : undefined;
}
