import type { Logger } from '../../lib/logger.ts';
import { CoalescedTask } from '../../lib/tasks.ts';
import { clearTimeout, setTimeout } from '../../lib/timers.ts';
import type { LedgerWatcher } from '../../uploads/ledger-changes.ts';
import type { StateCount, UploadCounts } from '../../uploads/ledger-queries.ts';
import type { UploadState } from '../../uploads/upload.ts';
import type { Connections } from './connections.ts';
import { statement } from './statement.ts';
import type { None } from './statement.ts';
import { RELAXED } from './upload-statements.ts';

/** How old the totals of a watcher may be, when it does not ask for newer ones. */
const POLL_MS = 1000;
/** How many rows are left to be added up with each reading, which takes 0.1 ms. */
const FOLD_ROWS = 500;

interface TotalRow {
  readonly account_id: string | null;
  readonly state: UploadState | 'package';
  readonly count: number;
  readonly bytes: number;
  /** How many rows it is the sum of. */
  readonly rows: number;
}

const READ_TOTALS = statement<None, TotalRow>(
  'read_totals',
  `SELECT account_id, state, CAST(sum(count) AS bigint) AS count, CAST(sum(bytes) AS bigint) AS bytes,
     count(*) AS rows
   FROM totals GROUP BY account_id, state`,
);

const COUNT_UPLOADS = statement<{ readonly accountId: string | null }, TotalRow>(
  'count_uploads',
  `SELECT state, CAST(sum(count) AS bigint) AS count, CAST(sum(bytes) AS bigint) AS bytes
   FROM totals WHERE state <> 'package' AND (CAST(:accountId AS text) IS NULL OR account_id = :accountId)
   GROUP BY state`,
);

/** Replaces rows by their sums. Rows that another gateway is folding are left to it. */
const FOLD_TOTALS = statement<None>(
  'fold_totals',
  `WITH gone AS (
     DELETE FROM totals WHERE ctid = ANY(ARRAY(SELECT ctid FROM totals FOR UPDATE SKIP LOCKED))
     RETURNING account_id, state, count, bytes)
   INSERT INTO totals (account_id, state, count, bytes)
   SELECT account_id, state, sum(gone.count), sum(bytes) FROM gone, ${RELAXED}
   GROUP BY account_id, state HAVING sum(gone.count) <> 0 OR sum(bytes) <> 0`,
);

/**
 * Tells watchers what all gateways together have changed. Triggers write each change into `totals`, whose sums are
 * exact in every reading: it is read once a second while somebody watches, and when somebody asks.
 */
export class WatchedTotals {
  readonly #connections: Connections;
  readonly #logger: Logger;
  readonly #watchers = new Set<LedgerWatcher>();
  readonly #readings = new CoalescedTask(() => this.#read());
  #known: ReadonlyMap<string, TotalRow> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(connections: Connections, logger: Logger) {
    this.#connections = connections;
    this.#logger = logger;
  }

  /** Reports everything that there is, and then each change. @returns a function that ends it */
  async watch(watcher: LedgerWatcher): Promise<() => void> {
    await this.catchUp();
    for (const row of this.#known.values()) add(row, watcher);
    this.#watchers.add(watcher);
    this.#schedule();
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** Reports every change that was committed before the call. */
  catchUp(): Promise<void> {
    return this.#readings.run();
  }

  async countUploads(accountId: string | undefined): Promise<UploadCounts> {
    const none: StateCount = { count: 0, bytes: 0 };
    const counts = { issued: none, stored: none, claimed: none, purging: none, purged: none };
    const { rows } = await this.#connections.read(COUNT_UPLOADS, { accountId: accountId ?? null });
    for (const { bytes, count, state } of rows) {
      if (state !== 'package') counts[state] = { count, bytes };
    }
    return counts;
  }

  /** Adds up the rows. */
  async fold(): Promise<void> {
    await this.#connections.change(FOLD_TOTALS, {});
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#readings.drain();
  }

  #schedule(): void {
    if (this.#isClosed || this.#timer !== undefined || this.#watchers.size === 0) return;
    const again = (): void => {
      this.#timer = undefined;
      this.#schedule();
    };
    this.#timer = setTimeout(() => {
      this.catchUp().then(again, (error: unknown) => {
        this.#logger.warn({ err: error }, 'could not count uploads; limits use the last counts');
        again();
      });
    }, POLL_MS).unref();
  }

  async #read(): Promise<void> {
    const { rows } = await this.#connections.read(READ_TOTALS, {});
    const before = this.#known;
    this.#known = new Map(rows.map((row) => [JSON.stringify([row.account_id, row.state]), row]));
    for (const [name, row] of this.#known) this.#report(before.get(name), row);
    for (const [name, row] of before) if (!this.#known.has(name)) this.#report(row, undefined);
    if (rows.reduce((sum, row) => sum + row.rows, 0) > FOLD_ROWS) await this.fold();
  }

  #report(before: TotalRow | undefined, after: TotalRow | undefined): void {
    if (before?.count === after?.count && before?.bytes === after?.bytes) return;
    for (const watcher of this.#watchers) {
      if (before !== undefined) remove(before, watcher);
      if (after !== undefined) add(after, watcher);
    }
  }
}

function add({ account_id, bytes, count, state }: TotalRow, watcher: LedgerWatcher): void {
  const accountId = account_id ?? undefined;
  if (state === 'package') watcher({ kind: 'packages', accountId: accountId ?? '', count });
  else watcher({ kind: 'uploads', from: undefined, to: state, accountId, count, bytes });
}

function remove({ account_id, bytes, count, state }: TotalRow, watcher: LedgerWatcher): void {
  const accountId = account_id ?? undefined;
  if (state === 'package') watcher({ kind: 'packages', accountId: accountId ?? '', count: -count });
  else watcher({ kind: 'uploads', from: state, to: undefined, accountId, count, bytes });
}
