import type { BucketKey } from './bucket-key.ts';
import { percentEncode } from './percent-encoding.ts';

/** An object, and the host where clients find it. */
export interface ObjectLocation {
  /** Scheme and host, without a trailing slash. */
  readonly host: string;
  readonly bucket: string;
  readonly key: string;
}

/**
 * How long a URL of QueryOTAFirmware is valid, in milliseconds: 24 hours (IoT Platform, "OTA update", and two captured
 * pushes).
 */
export const DOWNLOAD_URL_TTL = 24 * 60 * 60 * 1000;

/**
 * Makes a URL that downloads an object until a time, without any other credential (V1).
 * @param expiresAt - Unix milliseconds, rounded down to a second; the URL is still valid in that second
 */
export function downloadUrl(
  bucketKey: BucketKey,
  { bucket, host, key }: ObjectLocation,
  expiresAt: number,
): string {
  const query = bucketKey.signDownload(bucket, key, Math.floor(expiresAt / 1000));
  return `${host}/${pathOf(key)}?${query}`;
}

/**
 * Clients fold the segments `.` and `..`, also when their dots are percent-encoded, unless the slashes beside them are, too.
 * A key that is only `.` or `..` has no URL.
 */
function pathOf(key: string): string {
  const segments = key.split('/');
  const isFolded = segments.some((segment) => segment === '.' || segment === '..');
  return segments.map(percentEncode).join(isFolded ? '%2F' : '/');
}
