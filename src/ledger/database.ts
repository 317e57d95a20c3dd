import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { GroupCommit } from './group-commit.ts';
import { migrate } from './migrate.ts';

/** Where a data folder keeps its ledger. */
export const LEDGER_FILE = 'gateway.sqlite3';

const BUSY_TIMEOUT_MS = 5000;

/** An open, migrated ledger database and the queue that all its writes go through. */
export interface LedgerDatabase {
  readonly database: Database;
  readonly commits: GroupCommit;
  close(): void;
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
    database.pragma('foreign_keys = ON');
    migrate(database);
  } catch (error) {
    database.close();
    throw error;
  }
  const commits = new GroupCommit(database);
  return {
    database,
    commits,
    close: () => {
      if (!database.open) return;
      commits.flush();
      database.close();
    },
  };
}
