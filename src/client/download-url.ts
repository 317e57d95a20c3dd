import { createBucketKey } from '../signatures/bucket-key.ts';
import { downloadUrl } from '../signatures/download-url.ts';
import type { ObjectLocation } from '../signatures/download-url.ts';

export { DOWNLOAD_URL_TTL } from '../signatures/download-url.ts';

/**
 * Signs a URL that downloads an object, as QueryOTAFirmware does.
 * @param expiresAt - Unix milliseconds, rounded down to a second; the URL is still valid in that second
 */
export function signDownloadUrl(
  bucketKey: { readonly id: string; readonly secret: string },
  address: ObjectLocation,
  expiresAt: number,
): string {
  return downloadUrl(createBucketKey(bucketKey.id, bucketKey.secret), address, expiresAt);
}
