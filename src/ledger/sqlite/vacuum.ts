import type { Database } from 'better-sqlite3';
import { z } from 'zod';

/** How many pages of 4 KiB one step gives back: few, because clients wait while it runs. */
const PAGES_PER_STEP = 64;

/** Free pages that stay for the next rows, at least; and as a share of all pages. */
const KEPT_PAGES = 1024;
const KEPT_SHARE = 0.25;

const INCREMENTAL = 2;

const number = z.number();

/**
 * Gives some free pages back. They are gone from the file after the next checkpoint.
 * @returns `none` when there was nothing to give back, or the ledger cannot: one that an older program has made is only
 *   converted by {@link compact}
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

/** Writes the log into the ledger, as far as no reader is in the way, and cuts off the pages that were given back. */
export function checkpoint(database: Database): void {
  database.pragma('wal_checkpoint(PASSIVE)');
}

/** Whether a ledger gives free pages back. */
export function canReclaimSpace(database: Database): boolean {
  return read(database, 'auto_vacuum') === INCREMENTAL;
}

/**
 * Writes a ledger anew, so that it has no free pages and gives them back from now on. Nobody else may be working with it.
 * @throws SQLITE_FULL when there is no room for the copy; the ledger is as it was
 */
export function compact(database: Database): void {
  database.pragma('auto_vacuum = INCREMENTAL');
  database.exec('VACUUM');
}

function read(database: Database, pragma: string): number {
  return number.parse(database.pragma(pragma, { simple: true }));
}
