import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { hasErrorCode } from '../lib/errno.ts';

const accessKey = z.strictObject({ id: z.string().min(1), secret: z.string().min(1) });
const credentialsFile = z.strictObject({ account: accessKey, bucket: accessKey });

/** The two credentials of a simple installation: the account's signs API calls, the bucket's signs policies. */
export type Credentials = z.infer<typeof credentialsFile>;

const FILE = 'credentials.json';
/** Begins the names of files that are being written. */
const UNFINISHED = `${FILE}.unfinished-`;

/** Where a data folder keeps credentials that were made up. */
export function credentialsPath(dataDir: string): string {
  return join(dataDir, FILE);
}

/**
 * The credentials kept in a data folder; at the first start they are made up and written there, readable by
 * their owner alone. The file appears complete or not at all, and processes that start at the same time get the same.
 * @throws when the file is there but cannot be read or understood
 */
export function loadOrCreateCredentials(dataDir: string): Credentials {
  if (isWritten(dataDir)) return readCredentials(dataDir);
  const fresh = { account: generateAccessKey(), bucket: generateAccessKey() };
  const unfinished = join(dataDir, `${UNFINISHED}${randomBytes(8).toString('hex')}`);
  try {
    writeDurably(unfinished, `${JSON.stringify(fresh, null, 2)}\n`);
    takeAwayEmpty(dataDir);
    linkUnlessThere(unfinished, credentialsPath(dataDir));
    flushFolder(dataDir);
  } finally {
    rmSync(unfinished, { force: true });
  }
  removeLeftovers(dataDir);
  // Another process may have been faster.
  return readCredentials(dataDir);
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
      `${path} does not hold credentials: expected {"account":{"id","secret"},"bucket":{"id","secret"}}. ` +
        'Restore it from a backup; or remove it, and the next start makes up new ones, which all clients need then',
      { cause: error },
    );
  }
}

/** Whether the file is there. One without content was begun by an older version that was killed: it has named no key. */
function isWritten(dataDir: string): boolean {
  try {
    return !isBlank(readFileSync(credentialsPath(dataDir)));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Also one of zeros: a power cut leaves them in place of bytes that never reached the disk. */
function isBlank(content: Buffer): boolean {
  return content.every((byte) => byte === 0);
}

/** Another process may just have put a complete file in its place; that one is put back. */
function takeAwayEmpty(dataDir: string): void {
  const aside = join(dataDir, `${FILE}.empty-${randomBytes(8).toString('hex')}`);
  try {
    renameSync(credentialsPath(dataDir), aside);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return;
    throw error;
  }
  if (!isBlank(readFileSync(aside))) linkUnlessThere(aside, credentialsPath(dataDir));
  rmSync(aside, { force: true });
}

/** A process that has been faster may also have removed the other name by now. */
function linkUnlessThere(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST') && !hasErrorCode(error, 'ENOENT')) throw error;
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Files of processes that were killed. */
function removeLeftovers(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith(UNFINISHED)) rmSync(join(dataDir, name), { force: true });
  }
}

/** In the shape of Alibaba Cloud's: an id of 24 and a secret of 30 characters. */
function generateAccessKey(): Credentials['account'] {
  return { id: `LTAI${randomText(20)}`, secret: randomText(30) };
}

function randomText(length: number): string {
  const text = randomBytes(2 * length).toString('base64');
  return text.replace(/[+/=]/g, '').slice(0, length);
}
