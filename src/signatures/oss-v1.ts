import { hmacSha1Base64 } from './digests.ts';
import { byCodeUnit } from './ordering.ts';
import { headerValue, OSS_PREFIX, resourcePath } from './signable-request.ts';
import type { SignableRequest } from './signable-request.ts';

/**
 * Query parameters that are signed as part of the resource: the list of alibabacloud-oss-go-sdk-v2 signer/v1.go, the
 * additional ones of OSS "Add signatures to the header", and `resourceGroup` (tests of the signers of all SDKs of
 * version 2). Those that begin with `x-oss-` are signed, too.
 */
const SUB_RESOURCES: ReadonlySet<string> = new Set(
  `acl append bucketInfo callback callback-var cloudboxes cname comp continuation-token cors delete endTime img
   lifecycle live location logging objectMeta partNumber position qos referer regionList replication
   replicationLocation replicationProgress resourceGroup response-cache-control response-content-disposition
   response-content-encoding response-content-language response-content-type response-expires restore
   security-token sequential startTime stat status style styleName symlink tagging uploadId uploads versionId
   versioning versions vod website`.split(/\s+/),
);

/**
 * Makes the string to sign of an object request, signature version 1 (OSS "Add signatures to the header", "Add
 * signatures to a URL"). It has the decoded key and query values. Of a parameter that is given twice, the first counts.
 *
 * @param dateOrExpires - the `Date` header (for SDKs that send `x-oss-date` instead, its value), or the
 *   `Expires` of a signed URL
 */
export function ossV1StringToSign(request: SignableRequest, dateOrExpires: string): string {
  const ossHeaders = [...request.headers.keys()]
    .filter((name) => name.startsWith(OSS_PREFIX))
    .sort(byCodeUnit)
    .map((name) => `${name}:${headerValue(request.headers, name)}`);
  return [
    request.method.toUpperCase(),
    headerValue(request.headers, 'content-md5'),
    headerValue(request.headers, 'content-type'),
    dateOrExpires,
    ...ossHeaders,
    canonicalResource(request),
  ].join('\n');
}

function canonicalResource(request: SignableRequest): string {
  const signed = new Map<string, string>();
  for (const [name, value] of request.query) {
    const isSigned = SUB_RESOURCES.has(name) || name.startsWith(OSS_PREFIX);
    if (isSigned && !signed.has(name)) signed.set(name, value);
  }
  if (signed.size === 0) return resourcePath(request);
  const query = [...signed]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join('&');
  return `${resourcePath(request)}?${query}`;
}

/**
 * @param secret - of the access key, unchanged
 * @returns the signature, Base64
 */
export function signOssV1(secret: string, stringToSign: string): string {
  return hmacSha1Base64(secret, stringToSign);
}

/** A parsed V1 Authorization header. */
export interface AuthorizationOssV1 {
  readonly accessKeyId: string;
  readonly signature: string;
}

/**
 * Parses `OSS <AccessKeyId>:<signature>`.
 *
 * @returns undefined when the header has another format
 */
export function parseAuthorizationOssV1(header: string): AuthorizationOssV1 | undefined {
  const [, accessKeyId, signature] = /^OSS ([^\s:]+):([^\s:]+)$/.exec(header) ?? [];
  if (accessKeyId === undefined || signature === undefined) return undefined;
  return { accessKeyId, signature };
}
