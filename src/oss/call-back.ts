import { request as requestHttp } from 'node:http';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { callbackBody, parseJson } from './callback.ts';
import type { Callback, CallbackFacts } from './callback.ts';
import { OssError } from './errors.ts';

const TIME_LIMIT_MS = 5000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Calls an application server back (OSS "Callback"). Without the headers `authorization` and `x-oss-pub-key-url`:
 * they are signed with a key that only OSS has. And by HTTP/1.1, where OSS speaks 1.0.
 * @returns the server's answer: JSON text
 * @throws OssError `CallbackFailed` when every URL failed, with the reason of the last one
 */
export async function callBack(callback: Callback, facts: CallbackFacts): Promise<Buffer> {
  const body = Buffer.from(callbackBody(callback, facts));
  let failure = '';
  for (const url of callback.urls) {
    const outcome = await call(url, callback, body);
    if (typeof outcome !== 'string') return outcome;
    failure = outcome;
  }
  throw new OssError('CallbackFailed', { message: failure });
}

/** @returns the answer, or why there is no good one (messages of "Upload callback" and "HTTP 203 status code") */
async function call(url: URL, callback: Callback, body: Buffer): Promise<Buffer | string> {
  const signal = AbortSignal.timeout(TIME_LIMIT_MS);
  try {
    const answer = await send(url, callback, body, signal);
    // Whatever is left of the answer goes with the connection, which is not used again.
    const outcome = await judge(answer);
    answer.destroy();
    return outcome;
  } catch {
    return 'Error status : -1. OSS can not connect to your callbackUrl, please check it.';
  }
}

function send(
  url: URL,
  callback: Callback,
  body: Buffer,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const options: RequestOptions = {
    method: 'POST',
    agent: false,
    signal,
    headers: {
      Host: callback.host ?? url.host,
      Connection: 'close',
      'Content-Length': body.length,
      'User-Agent': 'http-client/0.0.1',
      'Content-Type': callback.contentType,
    },
  };
  const open = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request: ClientRequest = open(url, options, resolve);
    request.on('error', reject);
    request.end(body);
  });
}

async function judge(answer: IncomingMessage): Promise<Buffer | string> {
  if (answer.statusCode !== 200) return `Error status : ${answer.statusCode ?? -1}.`;
  if (answer.headers['content-length'] === undefined) {
    return 'Error Status : 400.User server missing content-length.';
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    // The message is unverified.
    if (size > MAX_ANSWER_BYTES) return 'Response body is too large.';
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks, size);
  return parseJson(body.toString('utf8')) === undefined
    ? 'Response body is not valid json format.'
    : body;
}
