import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { hasErrorCode } from './system-error.ts';

const accessKey = z.strictObject({ id: z.string().min(1), secret: z.string().min(1) });
const credentialsFile = z.strictObject({ account: accessKey, bucket: accessKey });

/** The two credentials of a simple installation: the account's signs API calls, the bucket's signs policies. */
export type Credentials = z.infer<typeof credentialsFile>;

/** Where a data folder keeps credentials that were made up. */
export function credentialsPath(dataDir: string): string {
  return join(dataDir, 'credentials.json');
}

/**
 * The credentials kept in a data folder; at the first start they are made up and written there, readable by
 * their owner alone.
 * @throws when the file is there but cannot be read or understood
 */
export function keepCredentials(dataDir: string): Credentials {
  try {
    const fresh = { account: makeUpAccessKey(), bucket: makeUpAccessKey() };
    const text = `${JSON.stringify(fresh, null, 2)}\n`;
    writeFileSync(credentialsPath(dataDir), text, { mode: 0o600, flag: 'wx' });
    return fresh;
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
    return readCredentials(dataDir);
  }
}

/**
 * The credentials that a data folder keeps.
 * @throws when the file is missing or cannot be understood
 */
export function readCredentials(dataDir: string): Credentials {
  const path = credentialsPath(dataDir);
  try {
    return credentialsFile.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new Error(
      `${path} does not hold credentials: expected {"account":{"id","secret"},"bucket":{"id","secret"}}`,
      { cause: error },
    );
  }
}

/** In the shape of Alibaba Cloud's: an id of 24 and a secret of 30 characters. */
function makeUpAccessKey(): Credentials['account'] {
  return { id: `LTAI${randomText(20)}`, secret: randomText(30) };
}

function randomText(length: number): string {
  const text = randomBytes(2 * length).toString('base64');
  return text.replace(/[+/=]/g, '').slice(0, length);
}
