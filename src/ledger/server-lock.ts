import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';

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
    const holder = readHolder(holderFile);
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

function readHolder(holderFile: string): string {
  try {
    return readFileSync(holderFile, 'utf8').trim();
  } catch {
    return 'it has not said which process it is';
  }
}
