import { parseAuthorizationParts } from './authorization-parts.ts';
import { ALGORITHM_V4, formatScopeV4, parseCredentialV4, signingKeyV4 } from './credential-v4.ts';
import type { ParsedCredentialV4, ScopeV4 } from './credential-v4.ts';
import { hmacSha256, sha256Hex } from './digests.ts';
import { byCodeUnit } from './ordering.ts';
import { percentEncode } from './percent-encoding.ts';
import { headerValue, OSS_PREFIX, resourcePath } from './signable-request.ts';
import type { SignableRequest } from './signable-request.ts';

/** What a V4 string to sign contains beside the request. */
export interface OssV4Signing {
  /** YYYYMMDDTHHMMSSZ: the header or query parameter `x-oss-date`. */
  readonly date: string;
  /** E.g. `cn-hangzhou`. */
  readonly region: string;
  /** Headers that are signed beside the ones that are always signed; in any order and case. */
  readonly additionalHeaders: readonly string[];
}

/**
 * Makes the string to sign of an object request, signature version 4 (OSS "Signature version 4";
 * alibabacloud-oss-go-sdk-v2 signer/v4.go). It is the same for a signed header and for a signed URL.
 */
export function ossV4StringToSign(request: SignableRequest, signing: OssV4Signing): string {
  const scope = { date: signing.date.slice(0, 8), region: signing.region };
  const canonicalRequest = ossV4CanonicalRequest(request, signing.additionalHeaders);
  return [ALGORITHM_V4, signing.date, formatScopeV4(scope), sha256Hex(canonicalRequest)].join('\n');
}

/**
 * Makes the text whose digest is signed.
 *
 * @param additionalHeaders - in any order and case; one that is not in the request counts as empty
 */
export function ossV4CanonicalRequest(
  request: SignableRequest,
  additionalHeaders: readonly string[],
): string {
  const additional = normalizeAdditional(additionalHeaders);
  const names = [...request.headers.keys()].filter(isAlwaysSigned);
  const headers = [...names, ...additional]
    .sort(byCodeUnit)
    .map((name) => `${name}:${headerValue(request.headers, name)}\n`)
    .join('');
  return [
    request.method.toUpperCase(),
    resourcePath(request).split('/').map(percentEncode).join('/'),
    canonicalQuery(request.query),
    headers,
    additional.join(';'),
    request.headers.get('x-oss-content-sha256') ?? 'UNSIGNED-PAYLOAD',
  ].join('\n');
}

function isAlwaysSigned(header: string): boolean {
  return header === 'content-type' || header === 'content-md5' || header.startsWith(OSS_PREFIX);
}

function normalizeAdditional(headers: readonly string[]): string[] {
  const names = new Set(headers.map((name) => name.toLowerCase()));
  return [...names].filter((name) => !isAlwaysSigned(name)).sort(byCodeUnit);
}

function canonicalQuery(query: SignableRequest['query']): string {
  return Array.from(query, ([name, value]) => [percentEncode(name), percentEncode(value)] as const)
    .filter(([name]) => name !== 'x-oss-signature')
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join('&');
}

/**
 * @param secret - of the access key, unchanged
 * @param scope - day (YYYYMMDD) and region, as in the credential
 * @returns the signature, lower-case hexadecimal
 */
export function signOssV4(secret: string, scope: ScopeV4, stringToSign: string): string {
  return hmacSha256(signingKeyV4(secret, scope.date, scope.region), stringToSign).toString('hex');
}

/** A parsed V4 Authorization header. */
export interface AuthorizationOssV4 {
  readonly credential: ParsedCredentialV4;
  /** Lower-case; empty when the header names none. */
  readonly additionalHeaders: readonly string[];
  readonly signature: string;
}

/**
 * Parses `OSS4-HMAC-SHA256 Credential=<credential>[,AdditionalHeaders=<a;b>],Signature=<hex>`, with or without
 * spaces after the commas.
 *
 * @returns undefined when the header has another algorithm or format
 */
export function parseAuthorizationOssV4(header: string): AuthorizationOssV4 | undefined {
  const names = ['Credential', 'AdditionalHeaders', 'Signature'];
  const parts = parseAuthorizationParts(header, ALGORITHM_V4, names);
  const credential = parseCredentialV4(parts?.get('Credential') ?? '');
  const signature = parts?.get('Signature');
  if (credential === undefined || signature === undefined) return undefined;
  const additionalHeaders = parts?.get('AdditionalHeaders')?.toLowerCase().split(';') ?? [];
  return { credential, additionalHeaders, signature };
}
