import { percentDecode } from '../http/request-target.ts';
import type { RequestTarget } from '../http/request-target.ts';
import { findObjectKeyProblem } from '../policy/object-key.ts';
import type { ObjectKeyProblem } from '../policy/object-key.ts';

/** What a request to the OSS host addresses. */
export type ObjectAddress =
  | { readonly kind: 'bucket' }
  | { readonly kind: 'object'; readonly key: string }
  /** Another bucket: NoSuchBucket. */
  | { readonly kind: 'foreignBucket'; readonly name: string }
  /** No object can have this key: InvalidObjectName. `encoding`: its percent escapes are malformed, or not UTF-8. */
  | { readonly kind: 'invalid'; readonly problem: ObjectKeyProblem | 'encoding' };

/**
 * The public endpoints of OSS, `<bucket>.oss-<region>[-internal].aliyuncs.com` (OSS "Regions and endpoints"). Only in
 * these hosts the first label is always a bucket; in other hosts it may be the name of the machine.
 */
const PUBLIC_ENDPOINT = /^([a-z0-9-]+)\.oss-[a-z0-9-]+\.aliyuncs\.com$/;

/**
 * Finds what a request addresses:
 *
 * | host | path | |
 * |---|---|---|
 * | `<bucket>.<anything>` | `/`, `/<key>` | virtual host style, the only one of the real OSS |
 * | any other | `/<bucket>`, `/<bucket>/`, `/<bucket>/<key>` | path style |
 * | any other | `/`, `/<key>` | the bucket is optional, because there is only one |
 *
 * A key is decoded once, and is never resolved like a path: `+` stays `+`, `%2F` is a slash, and `..` has no meaning.
 */
export function findAddress(
  { host, path }: Pick<RequestTarget, 'host' | 'path'>,
  bucket: string,
): ObjectAddress {
  const endpointBucket = PUBLIC_ENDPOINT.exec(host)?.[1];
  if (endpointBucket !== undefined && endpointBucket !== bucket) {
    return { kind: 'foreignBucket', name: endpointBucket };
  }

  const encodedKey = host.startsWith(`${bucket}.`) ? path.slice(1) : withoutBucket(path, bucket);
  if (encodedKey === '') return { kind: 'bucket' };
  const key = percentDecode(encodedKey);
  if (key === undefined) return { kind: 'invalid', problem: 'encoding' };
  const problem = findObjectKeyProblem(key);
  return problem === undefined ? { kind: 'object', key } : { kind: 'invalid', problem };
}

function withoutBucket(path: string, bucket: string): string {
  if (path === `/${bucket}`) return '';
  return path.startsWith(`/${bucket}/`) ? path.slice(bucket.length + 2) : path.slice(1);
}
