import { readFileSync } from 'node:fs';
import { replaceFile } from '../lib/replace-file.ts';
import { generateAccessKey } from './access-key.ts';
import { credentialsPath, readCredentials } from './credentials-file.ts';

/** Bucket keys after a rotation. */
export interface RotatedBucketKey {
  readonly accessKeyId: string;
  /** The key that signed until now. */
  readonly previousAccessKeyId: string;
  /** A key from an earlier rotation that was still accepted, and is no longer. */
  readonly endedAccessKeyId?: string;
}

/**
 * Generates a new bucket key for a data folder. A running gateway uses it after it has read its files again.
 * @param now - Unix milliseconds
 * @param until - how long what the old key has signed is accepted, in Unix milliseconds; undefined: not at all
 * @throws when the folder has no generated keys
 */
export function rotateBucketKey(
  dataDir: string,
  now: number,
  until: number | undefined,
): RotatedBucketKey {
  const path = credentialsPath(dataDir);
  const { account, bucket: old, previousBucket: older } = readCredentials(dataDir);
  const bucket = generateAccessKey();
  const rotated = {
    account,
    bucket,
    ...(until !== undefined && {
      previousBucket: { ...old, until: new Date(until).toISOString() },
    }),
  };
  replaceFile(path, readFileSync(path, 'utf8'), `${JSON.stringify(rotated, undefined, 2)}\n`);
  return {
    accessKeyId: bucket.id,
    previousAccessKeyId: old.id,
    ...(older !== undefined && older.until > now && { endedAccessKeyId: older.id }),
  };
}
