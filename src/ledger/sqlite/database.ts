import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import type { DiskSpace } from './disk-space.ts';
import { isFull, NO_DISK_SPACE } from './disk-space.ts';
import type { Durability } from './group-commit.ts';
import { GroupCommit } from './group-commit.ts';
import { LogFlush } from './log-flush.ts';
import { migrate, requireCurrentSchema } from './migrate.ts';

/** Where a data folder keeps its ledger. */
export const LEDGER_FILE = 'gateway.sqlite3';

const BUSY_TIMEOUT_MS = 5000;
/** What a burst leaves of the log, in bytes: twice what it has between two checkpoints. */
const LOG_BYTES = 8 * 1024 * 1024;

/** An open, migrated ledger database and the queue that all its writes go through. */
export interface LedgerDatabase {
  readonly database: Database;
  readonly commits: GroupCommit;
  readonly space: DiskSpace;
  /**
   * Runs a step of the purge as `commits` does. On a full disk it gives up the reserve and runs it once more, so the step
   * must not mind that a first run may have been committed.
   */
  runPurge<T>(durability: Durability, step: () => T): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens the ledger's database and brings its schema up to date.
 * @param dataDir - folder that holds it; undefined for one in memory
 * @param space - what it may take of the disk
 */
export function openLedgerDatabase(
  dataDir: string | undefined,
  space: DiskSpace = NO_DISK_SPACE,
): LedgerDatabase {
  const file = dataDir === undefined ? ':memory:' : join(dataDir, LEDGER_FILE);
  return open(file, space, (database) => {
    // Only a ledger that is new takes it. SQLite fixes it with the first page, so it comes first.
    database.pragma('auto_vacuum = INCREMENTAL');
    database.pragma('journal_mode = WAL');
    configure(database);
    migrate(database);
  });
}

/**
 * Opens the ledger of a data folder as it is, beside the server that may be using it: a command must not bring the schema
 * of a running server to another version.
 * @param access - `read`: SQLite refuses every change
 * @throws when there is no ledger, or its schema is older or newer than that of this program
 */
export function openExistingLedger(dataDir: string, access: 'read' | 'write'): LedgerDatabase {
  return open(join(dataDir, LEDGER_FILE), NO_DISK_SPACE, (database) => {
    configure(database);
    if (access === 'read') database.pragma('query_only = ON');
    requireCurrentSchema(database);
  });
}

function configure(database: Database): void {
  database.pragma(`journal_size_limit = ${String(LOG_BYTES)}`);
  // The log is flushed by `LogFlush`.
  database.pragma('synchronous = NORMAL');
  database.pragma('foreign_keys = ON');
}

function open(
  file: string,
  space: DiskSpace,
  prepare: (database: Database) => void,
): LedgerDatabase {
  const database = new SqliteDatabase(file, { timeout: BUSY_TIMEOUT_MS });
  try {
    prepare(database);
  } catch (error) {
    database.close();
    throw error;
  }
  const log = new LogFlush(database);
  const commits = new GroupCommit(database, () => log.flush());
  return {
    database,
    commits,
    space,
    runPurge: async (durability, step) => {
      try {
        return await commits.run(durability, step);
      } catch (error) {
        if (!isFull(error) || !space.releaseReserve()) throw error;
        return commits.run(durability, step);
      }
    },
    close: async () => {
      if (!database.open) return;
      commits.commit();
      await log.close();
      database.close();
    },
  };
}
