import { percentDecode } from '../http/request-target.ts';
import type { RequestTarget } from '../http/request-target.ts';
import { findObjectKeyProblem, keysOfPath } from '../policy/object-key.ts';
import type { ObjectKeyProblem } from '../policy/object-key.ts';

/** What a request to the OSS host addresses. */
export type ObjectAddress =
  | { readonly kind: 'bucket' }
  | { readonly kind: 'object'; readonly key: string }
  /** Another bucket: NoSuchBucket. */
  | { readonly kind: 'foreignBucket'; readonly name: string }
  /** No object can have this key: InvalidObjectName. `encoding`: its percent escapes are malformed, or not UTF-8. */
  | { readonly kind: 'invalid'; readonly problem: ObjectKeyProblem | 'encoding' };

/** What a request may address, in the order in which it is tried. */
export type ObjectAddresses = readonly [ObjectAddress, ...ObjectAddress[]];

/**
 * The public endpoints of OSS, `<bucket>.oss-<region>[-internal].aliyuncs.com` (OSS "Regions and endpoints"). Only in
 * these hosts the first label is always a bucket; in other hosts it may be the name of the machine.
 */
const PUBLIC_ENDPOINT = /^([a-z0-9-]+)\.oss-[a-z0-9-]+\.aliyuncs\.com$/;

/**
 * Finds what a request may address:
 *
 * | host | path | |
 * |---|---|---|
 * | `<bucket>.<anything>`, but not the public name | `/`, `/<key>` | virtual host style, the only one of the real OSS |
 * | any other | `/<bucket>`, `/<bucket>/`, `/<bucket>/<key>` | path style |
 * | any other | `/`, `/<key>` | the bucket is optional, because there is only one |
 *
 * A key is decoded once, and is never resolved like a path: `+` stays `+`, `%2F` is a slash, and `..` has no meaning.
 *
 * @param publicName - the host name of the public URL, which is the gateway's own even if it is one of another bucket
 * @returns several addresses when the path may begin with the bucket or with a folder of the same name; the last one is
 *   in path style
 */
export function findAddresses(
  { host, path }: Pick<RequestTarget, 'host' | 'path'>,
  bucket: string,
  publicName?: string,
): ObjectAddresses {
  const endpointBucket = PUBLIC_ENDPOINT.exec(host)?.[1];
  if (endpointBucket !== undefined && endpointBucket !== bucket && host !== publicName) {
    return [{ kind: 'foreignBucket', name: endpointBucket }];
  }
  const encodedKey = path.slice(1);
  if (host.startsWith(`${bucket}.`) && host !== publicName) return [toAddress(encodedKey)];
  const [whole, ...others] = keysOfPath(encodedKey, bucket);
  return [toAddress(whole), ...others.map(toAddress)];
}

function toAddress(encodedKey: string): ObjectAddress {
  if (encodedKey === '') return { kind: 'bucket' };
  const key = percentDecode(encodedKey);
  if (key === undefined) return { kind: 'invalid', problem: 'encoding' };
  const problem = findObjectKeyProblem(key);
  return problem === undefined ? { kind: 'object', key } : { kind: 'invalid', problem };
}
