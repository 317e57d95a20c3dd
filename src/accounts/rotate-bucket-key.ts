import { readFileSync } from 'node:fs';
import { replaceFile } from '../lib/replace-file.ts';
import { generateAccessKey } from './access-key.ts';
import { credentialsPath, readCredentials } from './credentials-file.ts';

/** A bucket key that an earlier rotation has replaced. */
export interface ReplacedBucketKey {
  readonly accessKeyId: string;
  /** How long what it has signed is accepted, in Unix milliseconds. */
  readonly until: number;
}

/** Bucket keys after a rotation. */
export interface RotatedBucketKey {
  readonly accessKeyId: string;
  /** The key that signed until now. */
  readonly previousAccessKeyId: string;
  /** A key from an earlier rotation that was still accepted, and is no longer. */
  readonly ended?: ReplacedBucketKey;
}

/**
 * Finds the key that the next rotation ends, because a data folder remembers one replaced key.
 * @param now - Unix milliseconds
 * @returns undefined when no replaced key is accepted now
 * @throws when the folder has no generated keys
 */
export function findReplacedBucketKey(dataDir: string, now: number): ReplacedBucketKey | undefined {
  const { previousBucket } = readCredentials(dataDir);
  if (previousBucket === undefined || previousBucket.until <= now) return undefined;
  return { accessKeyId: previousBucket.id, until: previousBucket.until };
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
  const { account, bucket: old } = readCredentials(dataDir);
  const ended = findReplacedBucketKey(dataDir, now);
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
    ...(ended && { ended }),
  };
}
