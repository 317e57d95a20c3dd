import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { hasErrorCode } from '../system-error.ts';

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
  const holderFile = join(dataDir, 'server.pid');
  const database = new SqliteDatabase(join(dataDir, 'server.lock'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const holder = findHolder(holderFile);
    throw new Error(`another server uses the data folder ${dataDir}: ${holder}`, { cause: error });
  }
  writeFileSync(holderFile, `process ${String(process.pid)}\n`);
  return {
    release: () => {
      if (!database.open) return;
      rmSync(holderFile, { force: true });
      database.close();
    },
  };
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
