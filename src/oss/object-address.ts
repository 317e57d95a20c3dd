import { percentDecode } from '../http/request-target.ts';
import type { RequestTarget } from '../http/request-target.ts';
import { findObjectKeyProblem } from '../policy/object-key.ts';
import type { ObjectKeyProblem } from '../policy/object-key.ts';

/** What a request to the OSS host addresses. */
export type ObjectAddress =
  | { readonly kind: 'bucket' }
  | { readonly kind: 'object'; readonly key: string }
  /** Certainly another bucket: NoSuchBucket. */
  | { readonly kind: 'foreignBucket'; readonly name: string }
  /** No object can have this key: InvalidObjectName. `encoding`: its percent escapes are malformed or no UTF-8. */
  | { readonly kind: 'invalid'; readonly problem: ObjectKeyProblem | 'encoding' };

/**
 * The public endpoints of OSS, `<bucket>.oss-<region>[-internal].aliyuncs.com` (OSS "Regions and endpoints"). Only
 * there a first label that is not our bucket is certainly another one: anywhere else it may just be the name of
 * the machine.
 */
const PUBLIC_ENDPOINT = /^([a-z0-9-]+)\.oss-[a-z0-9-]+\.aliyuncs\.com$/;

/**
 * Finds out what a request addresses:
 *
 * | host | path | |
 * |---|---|---|
 * | `<bucket>.<anything>` | `/`, `/<key>` | virtual host style, the only one of the real OSS |
 * | any other | `/<bucket>`, `/<bucket>/`, `/<bucket>/<key>` | path style |
 * | any other | `/`, `/<key>` | there is only one bucket, so its name may be left out |
 *
 * A key is data: it is decoded once, `+` stays `+`, `%2F` is a slash like any other, and `..` means nothing.
 */
export function findAddress(
  { host, path }: Pick<RequestTarget, 'host' | 'path'>,
  bucket: string,
): ObjectAddress {
  const foreign = PUBLIC_ENDPOINT.exec(host)?.[1];
  if (foreign !== undefined && foreign !== bucket) return { kind: 'foreignBucket', name: foreign };

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
