import {
  HEADERS_V3,
  MUST_BE_SIGNED_V3,
  PAYLOAD_HASH_V3,
  apiV3StringToSign,
  sha256Hex,
  signApiV3,
} from '../signatures/api-v3.ts';
import { percentEncode } from '../signatures/percent-encoding.ts';
import type { ApiClientOptions } from './api-client.ts';

const API_VERSION = '2018-01-20';
const API = '/_gateway/api';

/** A call of the operator API. */
export interface OperatorCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below `/_gateway/api`; see {@link pathSegment}. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Is sent as JSON. */
  readonly body?: object;
}

/** A signed call that is not sent yet. */
export interface SignedOperatorCall {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
}

/** @returns a text, such as an object key, as one segment of a path */
export function pathSegment(text: string): string {
  return percentEncode(text);
}

/**
 * Signs a call of the operator API as the IoT API is signed, with the path in the string to sign, and method and path as
 * the action. It can be sent once.
 */
export function signOperatorCall(
  options: ApiClientOptions,
  { body, method, path, query = {} }: OperatorCall,
): SignedOperatorCall {
  const target = API + path;
  const pairs = Object.entries(query);
  const search = pairs.map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`);
  const question = search.length > 0 ? `?${search.join('&')}` : '';
  const url = new URL(options.endpoint.replace(/\/+$/, '') + target + question);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const payloadHash = sha256Hex(text ?? '');
  const headers = new Map([
    ['host', url.host],
    [HEADERS_V3.action, `${method} ${target}`],
    [PAYLOAD_HASH_V3, payloadHash],
    [HEADERS_V3.timestamp, new Date(options.clock.now()).toISOString().replace(/\.\d{3}Z$/, 'Z')],
    [HEADERS_V3.nonce, options.nonce()],
    [HEADERS_V3.version, API_VERSION],
  ]);
  const signedHeaders = [...new Set([...headers.keys(), ...MUST_BE_SIGNED_V3])];
  const stringToSign = apiV3StringToSign({
    ...{ method, path: target, query: pairs, headers, signedHeaders, payloadHash },
  });
  const signature = signApiV3(options.accessKeySecret, stringToSign);
  const names = signedHeaders.join(';');
  const authorization = `ACS3-HMAC-SHA256 Credential=${options.accessKeyId},SignedHeaders=${names},Signature=${signature}`;
  return {
    ...{ url, method, body: text },
    headers: {
      ...Object.fromEntries(headers),
      ...(text !== undefined && { 'content-type': 'application/json' }),
      authorization,
    },
  };
}
