import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SettingsError } from '../config/settings-error.ts';
import { flushFolder, writeDurably } from '../lib/durable-files.ts';
import { hasErrorCode } from '../lib/errno.ts';
import { once } from '../lib/once.ts';
import { generateAccessKey } from './access-key.ts';

/** Made with the first file, because keys may also come from the settings. */
const credentialsFile = once(() => {
  const accessKey = z.strictObject({ id: z.string().min(1), secret: z.string().min(1) });
  const previousKey = accessKey.extend({
    until: z.iso.datetime().transform((text) => Date.parse(text)),
  });
  return z.strictObject({
    account: accessKey,
    bucket: accessKey,
    previousBucket: previousKey.optional(),
  });
});

/**
 * The credentials of a simple installation: the account key signs API calls, the bucket key signs policies. What the
 * previous bucket key has signed is accepted until a time, in Unix milliseconds.
 */
export type Credentials = z.infer<ReturnType<typeof credentialsFile>>;

const FILE = 'credentials.json';
/** Prefix of the names of files that are being written. */
const UNFINISHED = `${FILE}.unfinished-`;

/** The path of the generated credentials in a data folder. */
export function credentialsPath(dataDir: string): string {
  return join(dataDir, FILE);
}

/**
 * Returns the credentials of a data folder. The first start generates them and writes them to a file that only its
 * owner can read. The file appears complete or not at all; processes that start at the same time get the same credentials.
 * @throws when the file exists but cannot be read or is not valid
 */
export function loadOrCreateCredentials(dataDir: string): Credentials {
  if (isWritten(dataDir)) return readCredentials(dataDir);
  const fresh = { account: generateAccessKey(), bucket: generateAccessKey() };
  const unfinished = join(dataDir, `${UNFINISHED}${randomBytes(8).toString('hex')}`);
  try {
    writeDurably(unfinished, `${JSON.stringify(fresh, null, 2)}\n`);
    removeEmptyFile(dataDir);
    linkUnlessExists(unfinished, credentialsPath(dataDir));
    flushFolder(dataDir);
  } finally {
    rmSync(unfinished, { force: true });
  }
  removeLeftovers(dataDir);
  // Another process may have been faster.
  return readCredentials(dataDir);
}

const UNREADABLE = [
  {
    code: 'ENOENT',
    text: 'does not exist: no gateway has generated keys in this folder. Give the data folder of its server, or an access key',
  },
  {
    code: 'ENOTDIR',
    text: 'does not exist: its folder is a file. Give the data folder of a server',
  },
  {
    code: 'EACCES',
    text: 'cannot be read by this user. Run the command as the user of the gateway, or give an access key',
  },
];

const NO_FOLDER =
  'does not exist: expected the data folder of a gateway. Give the folder of its server, or an access key';

/**
 * Reads the credentials of a data folder.
 * @throws SettingsError when the file is missing or cannot be read: the data folder is the wrong one. An Error when it is
 *   not valid
 */
export function readCredentials(dataDir: string): Credentials {
  const path = credentialsPath(dataDir);
  try {
    return credentialsFile().parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const reason = UNREADABLE.find(({ code }) => hasErrorCode(error, code));
    if (reason !== undefined) {
      const text =
        existsSync(dataDir) || reason.code !== 'ENOENT'
          ? `${path} ${reason.text}`
          : `${dataDir} ${NO_FOLDER}`;
      throw new SettingsError([{ settings: ['dataDir'], text }]);
    }
    throw new Error(
      `${path} does not hold credentials: expected {"account":{"id","secret"},"bucket":{"id","secret"}}. ` +
        'Restore it from a backup; or remove it, and the next start generates new ones, which all clients then need',
      { cause: error },
    );
  }
}

/** Whether the file has content. An empty one is from an older version that was killed, and holds no key. */
function isWritten(dataDir: string): boolean {
  try {
    return !isBlank(readFileSync(credentialsPath(dataDir)));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** True also for zeros only: after a power cut they stand in place of bytes that never reached the disk. */
function isBlank(content: Buffer): boolean {
  return content.every((byte) => byte === 0);
}

/** Removes an empty file. If another process has just replaced it with a complete one, puts that one back. */
function removeEmptyFile(dataDir: string): void {
  const aside = join(dataDir, `${FILE}.empty-${randomBytes(8).toString('hex')}`);
  try {
    renameSync(credentialsPath(dataDir), aside);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return;
    throw error;
  }
  if (!isBlank(readFileSync(aside))) linkUnlessExists(aside, credentialsPath(dataDir));
  rmSync(aside, { force: true });
}

/** Ignores ENOENT, too: a process that was faster may have removed `from`. */
function linkUnlessExists(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST') && !hasErrorCode(error, 'ENOENT')) throw error;
  }
}

/** Removes the files of processes that were killed. */
function removeLeftovers(dataDir: string): void {
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith(UNFINISHED)) rmSync(join(dataDir, name), { force: true });
  }
}
