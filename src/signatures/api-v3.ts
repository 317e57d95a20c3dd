import { parseAuthorizationParts } from './authorization-parts.ts';
import { hmacSha256, sha256Hex } from './digests.ts';
import { byCodeUnit } from './ordering.ts';
import { percentEncode } from './percent-encoding.ts';

export { sha256Hex } from './digests.ts';

/** First word of a V3 Authorization header. */
export const ALGORITHM_V3 = 'ACS3-HMAC-SHA256';

/** The headers of a V3 call that have its common parameters, and the one with the SHA-256 of its body. */
export const HEADERS_V3 = {
  version: 'x-acs-version',
  action: 'x-acs-action',
  timestamp: 'x-acs-date',
  nonce: 'x-acs-signature-nonce',
  securityToken: 'x-acs-security-token',
} as const;
export const PAYLOAD_HASH_V3 = 'x-acs-content-sha256';

/** Every known SDK signs these headers; which ones the platform requires is unverified. */
export const MUST_BE_SIGNED_V3: readonly string[] = [
  'host',
  HEADERS_V3.action,
  HEADERS_V3.version,
  HEADERS_V3.timestamp,
  HEADERS_V3.nonce,
  PAYLOAD_HASH_V3,
];

/** A parsed V3 Authorization header. */
export interface AuthorizationV3 {
  readonly accessKeyId: string;
  /** In lower case, repeated ones included. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/**
 * Parses `ACS3-HMAC-SHA256 Credential=<ak>,SignedHeaders=<a;b;c>,Signature=<hex>` (Alibaba Cloud "V3 request
 * structure and signature method").
 *
 * @returns undefined when the header has another algorithm or format
 */
export function parseAuthorizationV3(header: string): AuthorizationV3 | undefined {
  const names = ['Credential', 'SignedHeaders', 'Signature'];
  const parts = parseAuthorizationParts(header, ALGORITHM_V3, names);
  const accessKeyId = parts?.get('Credential');
  const signedHeaders = parts?.get('SignedHeaders')?.toLowerCase().split(';');
  const signature = parts?.get('Signature');
  if (accessKeyId === undefined || signedHeaders === undefined || signature === undefined) {
    return undefined;
  }
  return { accessKeyId, signedHeaders, signature };
}

/** The parts of an API call that V3 signs. */
export interface ApiV3Request {
  readonly method: string;
  /** As sent; `/` for RPC calls. */
  readonly path: string;
  /** Decoded pairs of the query; parameters of a form body are covered by `payloadHash`. */
  readonly query: Iterable<readonly [string, string]>;
  /** Lower-case name -> value. `host` is signed as received, with its port. */
  readonly headers: ReadonlyMap<string, string>;
  /** The headers that are signed, in any order; a missing one counts as empty, a repeated one counts once. */
  readonly signedHeaders: readonly string[];
  /** SHA-256 of the body's bytes, lower-case hexadecimal; also the header `x-acs-content-sha256`. */
  readonly payloadHash: string;
}

/** Makes the string to sign of an API call, signature version 3 (@alicloud/openapi-core). */
export function apiV3StringToSign(request: ApiV3Request): string {
  const query = [...request.query]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join('&');
  const names = new Set(request.signedHeaders.map((name) => name.toLowerCase()));
  const signedHeaders = [...names].sort(byCodeUnit);
  const headers = signedHeaders
    .map((name) => `${name}:${(request.headers.get(name) ?? '').trim()}\n`)
    .join('');
  const canonicalRequest = [
    request.method.toUpperCase(),
    request.path,
    query,
    headers,
    signedHeaders.join(';'),
    request.payloadHash,
  ].join('\n');
  return `${ALGORITHM_V3}\n${sha256Hex(canonicalRequest)}`;
}

/**
 * @param secret - of the access key, unchanged
 * @returns the signature, lower-case hexadecimal
 */
export function signApiV3(secret: string, stringToSign: string): string {
  return hmacSha256(secret, stringToSign).toString('hex');
}
