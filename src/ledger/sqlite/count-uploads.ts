import SqliteDatabase from 'better-sqlite3';
import type { Database } from 'better-sqlite3';
import { setImmediate } from '../../lib/timers.ts';
import type { LedgerChange, LedgerWatcher } from '../../uploads/ledger-changes.ts';
import type { UploadRow } from '../rows.ts';

/** Rows that are read in one turn of the event loop: some milliseconds. */
const ROWS_IN_PIECE = 5000;

/**
 * Counts all uploads as they are at the call, in pieces, so that requests are handled between them.
 * @param add - gets them as changes from nothing
 * @param isStopped - ends the count before its end
 */
export async function countUploads(
  database: Database,
  add: LedgerWatcher,
  isStopped: () => boolean,
): Promise<void> {
  if (database.memory) {
    // It has no other connection that could hold what there is now.
    for (const changes of pieces(database)) changes.forEach(add);
    return;
  }
  const snapshot = new SqliteDatabase(database.name, { readonly: true });
  try {
    snapshot.exec('BEGIN');
    for (const changes of pieces(snapshot)) {
      changes.forEach(add);
      await new Promise((resolve) => setImmediate(resolve));
      if (isStopped()) return;
    }
  } finally {
    snapshot.close();
  }
}

type CountRow = Pick<UploadRow, 'state' | 'account_id'> & {
  count: number;
  bytes: number | null;
  last: number;
};

function* pieces(database: Database): Generator<LedgerChange[], void, undefined> {
  const count = database.prepare<[after: number, limit: number], CountRow>(
    `SELECT state, account_id, count(*) AS count, sum(size) AS bytes, max(sequence) AS last
     FROM (SELECT sequence, state, account_id, size FROM uploads WHERE sequence > ? ORDER BY sequence LIMIT ?)
     GROUP BY state, account_id`,
  );
  let after = 0;
  for (;;) {
    const rows = count.all(after, ROWS_IN_PIECE);
    if (rows.length === 0) return;
    after = Math.max(...rows.map(({ last }) => last));
    yield rows.map(toChange);
  }
}

function toChange({ account_id, bytes, count, state }: CountRow): LedgerChange {
  return {
    kind: 'uploads',
    from: undefined,
    to: state,
    accountId: account_id ?? undefined,
    count,
    bytes: bytes ?? 0,
  };
}
