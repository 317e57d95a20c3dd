import { accessSync, constants, readFileSync } from 'node:fs';
import { truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { withNativeBuild } from '../../lib/native-build.ts';
import { hasErrorCode, isDiskFull } from '../../lib/errno.ts';
import { isRunning } from '../../lib/is-running.ts';
import { PRIVATE_FILE, createPrivateFile } from '../../lib/private-files.ts';

/** While it is held, no second server can use the data folder. */
export interface ServerLock {
  release(): void;
}

/**
 * Takes the server lock of a data folder. It is a lock of the operating system, which releases it when the process
 * ends.
 * @throws when another server has it; the message names the process
 */
export function takeServerLock(dataDir: string): ServerLock {
  const taken = tryServerLock(dataDir);
  if (taken !== undefined) return taken;
  const holder = findHolder(holderPath(dataDir));
  throw new Error(`another server uses the data folder ${dataDir}: ${holder}`);
}

/** @returns undefined when another process has the lock */
export function tryServerLock(dataDir: string): ServerLock | undefined {
  const holderFile = holderPath(dataDir);
  const database = lock(lockPath(dataDir));
  if (database === undefined) return undefined;
  ignoreErrors(() => {
    writeFileSync(holderFile, `process ${String(process.pid)}\n`, { mode: PRIVATE_FILE });
  });
  return {
    release: () => {
      if (!database.open) return;
      ignoreErrors(() => {
        unlinkSync(holderFile);
      });
      database.close();
    },
  };
}

/** @returns whether a server uses a data folder; undefined when this user may not open the lock */
export function isServerLockHeld(dataDir: string): boolean | undefined {
  try {
    accessSync(lockPath(dataDir), constants.R_OK | constants.W_OK);
  } catch (error) {
    // Only a server creates the file, so that it belongs to the user of the server.
    if (hasErrorCode(error, 'ENOENT') || hasErrorCode(error, 'ENOTDIR')) return false;
    if (hasErrorCode(error, 'EACCES')) return undefined;
  }
  const taken = tryServerLock(dataDir);
  taken?.release();
  return taken === undefined;
}

function lockPath(dataDir: string): string {
  return join(dataDir, 'server.lock');
}

function holderPath(dataDir: string): string {
  return join(dataDir, 'server.pid');
}

/**
 * @returns undefined when another server has the lock
 * @throws when the file cannot be locked; the message says what to do
 */
function lock(path: string): Database | undefined {
  try {
    return lockExclusively(path);
  } catch (error) {
    if (isBusy(error)) return undefined;
    if (!hasErrorCode(error, 'SQLITE_NOTADB') && !hasErrorCode(error, 'SQLITE_CORRUPT')) {
      throw unusable(path, error);
    }
  }
  try {
    // The content of the file is damaged. SQLite checks the lock before the content, so no other server has the lock,
    // and the file can be emptied. It is not replaced: another process may already have opened it.
    truncateSync(path);
    return lockExclusively(path);
  } catch (error) {
    if (isBusy(error)) return undefined;
    throw unusable(path, error);
  }
}

function lockExclusively(path: string): Database {
  createPrivateFile(path);
  const database = withNativeBuild(() => new SqliteDatabase(path, { timeout: 0 }));
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return BUSY.some((code) => hasErrorCode(error, code));
}

const BUSY = ['SQLITE_BUSY', 'SQLITE_BUSY_RECOVERY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_LOCKED'];

function unusable(path: string, cause: unknown): Error {
  const reason = isDiskFull(cause)
    ? 'the disk is full. Free some space there, or choose another folder'
    : `${String(cause)}. When no server is running, remove it and start again`;
  const message = `${path} cannot be locked: ${reason}`;
  return new Error(message, { cause });
}

/** Ignores errors: the file with the process id is only informative, and a server must start on a full disk. */
function ignoreErrors(change: () => void): void {
  try {
    change();
  } catch {
    // The message of `takeServerLock` then lacks the process id.
  }
}

const MAX_WAIT_MS = 500;
const STEP_MS = 25;

/**
 * Describes the process that has the lock. Waits a moment for its id: a server that is starting may not have written it
 * yet, and a killed server leaves an old one.
 */
function findHolder(holderFile: string): string {
  for (let waited = 0; waited < MAX_WAIT_MS; waited += STEP_MS) {
    const holder = readHolder(holderFile);
    if (holder !== undefined && isRunning(holder)) return `process ${String(holder)}`;
    // Blocks the thread, because this process has nothing else to do.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STEP_MS);
  }
  return 'its process is not known';
}

function readHolder(holderFile: string): number | undefined {
  try {
    const [, pid] = /^process (\d+)$/m.exec(readFileSync(holderFile, 'utf8')) ?? [];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined;
  }
}
