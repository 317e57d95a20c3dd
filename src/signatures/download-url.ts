import type { BucketKey } from './bucket-key.ts';
import { percentEncode } from './percent-encoding.ts';

/** An object, and where clients find it. */
export interface ObjectAddress {
  /** Scheme and host, without a trailing slash. */
  readonly host: string;
  readonly bucket: string;
  readonly key: string;
}

/**
 * Makes the URL by which an object may be downloaded for a while, without any other credential (V1).
 * @param expiresAt - Unix milliseconds; the second it falls into is the last one
 */
export function downloadUrl(
  bucketKey: BucketKey,
  { bucket, host, key }: ObjectAddress,
  expiresAt: number,
): string {
  const query = bucketKey.signDownload(bucket, key, Math.floor(expiresAt / 1000));
  return `${host}/${key.split('/').map(percentEncode).join('/')}?${query}`;
}
