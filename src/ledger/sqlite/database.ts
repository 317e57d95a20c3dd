import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { isDiskFull } from '../../lib/errno.ts';
import { withNativeBuild } from '../../lib/native-build.ts';
import { createPrivateFile, makePrivate } from '../../lib/private-files.ts';
import type { DiskSpace } from './disk-space.ts';
import { NO_DISK_SPACE } from './disk-space.ts';
import type { Durability } from './group-commit.ts';
import { GroupCommit } from './group-commit.ts';
import { Leases } from './leases.ts';
import { LogFlush } from './log-flush.ts';
import { migrate, requireCurrentSchema } from './migrate.ts';

/** The file name of the ledger in a data folder. */
export const LEDGER_FILE = 'gateway.sqlite3';

const BUSY_TIMEOUT_MS = 5000;
/** Size to which the log is cut after a burst, in bytes: twice its size between two checkpoints. */
const MAX_LOG_BYTES = 8 * 1024 * 1024;

/** An open, migrated ledger database, and the queue of its writes. */
export interface LedgerDatabase {
  readonly database: Database;
  readonly commits: GroupCommit;
  readonly space: DiskSpace;
  readonly leases: Leases;
  /**
   * Runs a step of the purge as `commits` does. On a full disk it frees the reserve and runs the step again, so the
   * step must allow that the first run may have been committed.
   */
  runPurge<T>(durability: Durability, step: () => T, committed?: () => void): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens the ledger's database and brings its schema up to date.
 * @param dataDir - the folder of the ledger; undefined for a ledger in memory
 * @param space - limits how much of the disk it uses
 */
export function openLedgerDatabase(
  dataDir: string | undefined,
  space: DiskSpace = NO_DISK_SPACE,
): LedgerDatabase {
  const file = dataDir === undefined ? ':memory:' : join(dataDir, LEDGER_FILE);
  if (dataDir !== undefined) keepPrivate(file);
  return open(file, space, (database) => {
    // Has an effect only on a new ledger. It comes first, because SQLite fixes it with the first page.
    database.pragma('auto_vacuum = INCREMENTAL');
    database.pragma('journal_mode = WAL');
    configure(database);
    migrate(database);
  });
}

/**
 * Opens the ledger of a data folder for a command, without migrating it: its server may be running with this schema.
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

/** SQLite creates the log and its index with the mode of the ledger. */
function keepPrivate(file: string): void {
  createPrivateFile(file);
  for (const suffix of ['', '-wal', '-shm']) makePrivate(`${file}${suffix}`);
}

function configure(database: Database): void {
  database.pragma(`journal_size_limit = ${String(MAX_LOG_BYTES)}`);
  // `LogFlush` flushes the log.
  database.pragma('synchronous = NORMAL');
  database.pragma('foreign_keys = ON');
}

function open(
  file: string,
  space: DiskSpace,
  prepare: (database: Database) => void,
): LedgerDatabase {
  const database = withNativeBuild(() => new SqliteDatabase(file, { timeout: BUSY_TIMEOUT_MS }));
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
    leases: new Leases(),
    runPurge: async (durability, step, committed) => {
      try {
        return await commits.run(durability, step, committed);
      } catch (error) {
        if (!isDiskFull(error) || !space.releaseReserve()) throw error;
        return commits.run(durability, step, committed);
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
