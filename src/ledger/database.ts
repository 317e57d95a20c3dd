import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { GroupCommit } from './group-commit.ts';
import { LogFlush } from './log-flush.ts';
import { migrate } from './migrate.ts';

/** Where a data folder keeps its ledger. */
export const LEDGER_FILE = 'gateway.sqlite3';

const BUSY_TIMEOUT_MS = 5000;

/** An open, migrated ledger database and the queue that all its writes go through. */
export interface LedgerDatabase {
  readonly database: Database;
  readonly commits: GroupCommit;
  close(): Promise<void>;
}

/**
 * Opens the ledger's database and brings its schema up to date.
 * @param dataDir - folder that holds it; undefined for one in memory
 */
export function openLedgerDatabase(dataDir: string | undefined): LedgerDatabase {
  const file = dataDir === undefined ? ':memory:' : join(dataDir, LEDGER_FILE);
  const database = new SqliteDatabase(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.pragma('journal_mode = WAL');
    // The log is flushed by `LogFlush`.
    database.pragma('synchronous = NORMAL');
    database.pragma('foreign_keys = ON');
    migrate(database);
  } catch (error) {
    database.close();
    throw error;
  }
  const log = new LogFlush(database);
  const commits = new GroupCommit(database, () => log.flush());
  return {
    database,
    commits,
    close: async () => {
      if (!database.open) return;
      commits.commit();
      await log.close();
      database.close();
    },
  };
}
