import { findKnownKey } from '../uploads/latest-upload.ts';
import { authorizeRequest } from './auth/authorize-request.ts';
import type { OssDependencies } from './dependencies.ts';
import { OssError } from './errors.ts';
import type { ObjectAddress } from './object-address.ts';
import { keyOf } from './oss-request.ts';
import type { OssRequest } from './oss-request.ts';

/**
 * Decides what a request addresses when its path can be read in two ways: what its signature covers, else an object that
 * exists or has existed, else what a path-style client means.
 */
export async function chooseAddress(
  deps: OssDependencies,
  request: OssRequest,
): Promise<ObjectAddress> {
  const [whole, pathStyle] = request.addresses;
  if (pathStyle === undefined) return whole;
  // A form is for the bucket and has its key in a field.
  if (request.method === 'POST' && pathStyle.kind === 'bucket') return pathStyle;
  const signed = [whole, pathStyle].find((address) =>
    isSignedFor(deps, { ...request, key: keyOf(address) }),
  );
  if (signed !== undefined) return signed;
  if (whole.kind !== 'object') return pathStyle;
  const known = await findKnownKey(deps.uploads.ledger, [whole.key, keyOf(pathStyle) ?? '']);
  return known === whole.key ? whole : pathStyle;
}

/**
 * Finds the bucket that a path-style client means by the first part of the path. Only the signature shows it, because a
 * path may also be a key of the gateway's own bucket.
 *
 * @returns undefined unless the signature is valid for that bucket
 */
export function findSignedBucket(deps: OssDependencies, request: OssRequest): string | undefined {
  const [bucket = '', ...key] = request.key?.split('/') ?? [];
  if (key.length === 0) return undefined;
  return isSignedFor(deps, { ...request, bucket, key: key.join('/') }) ? bucket : undefined;
}

function isSignedFor(deps: OssDependencies, request: OssRequest): boolean {
  try {
    return authorizeRequest(deps, request) === 'signed';
  } catch (error) {
    if (error instanceof OssError) return false;
    throw error;
  }
}
