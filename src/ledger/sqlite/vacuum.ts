import type { Database } from 'better-sqlite3';
import { z } from 'zod';

/** How many pages of 4 KiB one step returns to the disk: few, because clients wait while it runs. */
const PAGES_PER_STEP = 64;

/** Free pages that are kept for the next rows: at least this number, and this share of all pages. */
const KEPT_PAGES = 1024;
const KEPT_SHARE = 0.25;

/** The value of `PRAGMA auto_vacuum`. */
const INCREMENTAL = 2;

const number = z.number();

/**
 * Removes some free pages from the ledger. The file shrinks at the next checkpoint.
 * @returns `none` when there are no excess pages, or when an older version has created the ledger; {@link compact}
 *   converts such a ledger
 */
export function vacuumStep(database: Database): 'none' | 'more' | 'last' {
  if (!canReclaimSpace(database)) return 'none';
  const excess = findExcess(database);
  if (excess <= 0) return 'none';
  database.pragma(`incremental_vacuum(${String(Math.min(excess, PAGES_PER_STEP))})`);
  return excess > PAGES_PER_STEP ? 'more' : 'last';
}

function findExcess(database: Database): number {
  const free = read(database, 'freelist_count');
  return Math.ceil(free - Math.max(KEPT_PAGES, KEPT_SHARE * read(database, 'page_count')));
}

/** Copies the log into the ledger, as far as readers allow it, and cuts removed pages off the file. */
export function checkpoint(database: Database): void {
  database.pragma('wal_checkpoint(PASSIVE)');
}

/** Whether the free pages of a ledger can be removed. */
export function canReclaimSpace(database: Database): boolean {
  return read(database, 'auto_vacuum') === INCREMENTAL;
}

/**
 * Rewrites a ledger without free pages, so that later ones can be removed. No other process may use it.
 * @throws SQLITE_FULL when there is no room for the temporary copy; the ledger is unchanged
 */
export function compact(database: Database): void {
  database.pragma('auto_vacuum = INCREMENTAL');
  database.exec('VACUUM');
}

function read(database: Database, pragma: string): number {
  return number.parse(database.pragma(pragma, { simple: true }));
}
