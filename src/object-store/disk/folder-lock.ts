import { readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { hasErrorCode } from '../../lib/errno.ts';

/** Keeps a second server out of a data folder for as long as it is held. */
export interface ServerLock {
  release(): void;
}

/**
 * Takes the one server lock of a data folder. It is a lock of the operating system, so a server that is killed
 * cannot leave it behind.
 * @throws when another server has it; the message says which process
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
  const database = lock(join(dataDir, 'server.lock'));
  if (database === undefined) return undefined;
  attempt(() => {
    writeFileSync(holderFile, `process ${String(process.pid)}\n`);
  });
  return {
    release: () => {
      if (!database.open) return;
      attempt(() => {
        unlinkSync(holderFile);
      });
      database.close();
    },
  };
}

function holderPath(dataDir: string): string {
  return join(dataDir, 'server.pid');
}

/**
 * @returns undefined when another server has the lock
 * @throws when the file cannot be a lock; the message says what to do
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
    // It holds nothing but the lock, and a lock that somebody has is found before its content is looked at. It stays
    // the same file: whoever waits for it must not get another.
    truncateSync(path);
    return lockExclusively(path);
  } catch (error) {
    if (isBusy(error)) return undefined;
    throw unusable(path, error);
  }
}

function lockExclusively(path: string): Database {
  const database = new SqliteDatabase(path, { timeout: 0 });
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
  const message = `${path} cannot be locked: ${String(cause)}. When no server is running, remove it and start again`;
  return new Error(message, { cause });
}

/** For the name of the holder, which is only told: a disk that is full must not keep a server from starting. */
function attempt(change: () => void): void {
  try {
    change();
  } catch {
    // Then another server that comes says that it does not know who the holder is.
  }
}

const PATIENCE_MS = 500;
const STEP_MS = 25;

/**
 * Says who has the lock. A server that is just starting may not have said so yet, and one that was killed cannot
 * take back what it had said; so the answer is worth a moment's wait.
 */
function findHolder(holderFile: string): string {
  for (let waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
    const holder = readHolder(holderFile);
    if (holder !== undefined && isRunning(holder)) return `process ${String(holder)}`;
    // Nothing else can be done meanwhile: this process is not going to serve.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STEP_MS);
  }
  return 'it has not said which process it is';
}

function readHolder(holderFile: string): number | undefined {
  try {
    const [, pid] = /^process (\d+)$/m.exec(readFileSync(holderFile, 'utf8')) ?? [];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It runs as somebody else.
    return hasErrorCode(error, 'EPERM');
  }
}
