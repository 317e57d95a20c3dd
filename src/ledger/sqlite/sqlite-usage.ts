import type { Database } from 'better-sqlite3';
import { SAMPLE_MS } from '../../uploads/usage-history.ts';
import type { SampleQuery, UsageHistory, UsageSample } from '../../uploads/usage-history.ts';
import type { LedgerDatabase } from './database.ts';

/** Columns with how much there was. */
const LEVELS = [
  ...['issued', 'stored', 'stored_bytes', 'claimed', 'claimed_bytes', 'purging', 'purging_bytes'],
  ...['purged', 'purged_bytes', 'packages', 'disk_free'],
] as const;
/** Columns with what has happened. */
const EVENTS = [
  ...['refusals', 'unclaimed', 'unclaimed_bytes', 'replaced', 'replaced_bytes'],
  ...['deleted', 'deleted_bytes', 'retired', 'retired_bytes'],
] as const;

type SampleRow = Readonly<
  Record<'at' | Exclude<(typeof LEVELS)[number], 'disk_free'> | (typeof EVENTS)[number], number>
> & { readonly disk_free: number | null };

/** Samples of the usage in the database of the ledger. Writing them never flushes anything. */
export class SqliteUsage implements UsageHistory {
  readonly #database: LedgerDatabase;
  readonly #statements;

  constructor(database: LedgerDatabase) {
    this.#database = database;
    this.#statements = prepareStatements(database.database);
  }

  add(sample: UsageSample): Promise<void> {
    const row = { ...toRow(sample), slot: slotOf(sample.at) };
    return this.#database.commits.run('relaxed', () => {
      this.#statements.add.run(row);
    });
  }

  async list({ after, span, until }: SampleQuery): Promise<UsageSample[]> {
    const slots = Math.max(1, Math.floor(span / SAMPLE_MS));
    const [first, last] = [slotOf(after), slotOf(until)];
    const rows = this.#statements.list.all({ after, until, first, last, slots });
    return Promise.resolve(rows.map(toSample));
  }

  prune(before: number): Promise<void> {
    return this.#database.runPurge('relaxed', () => {
      this.#statements.prune.run(slotOf(before));
    });
  }
}

function slotOf(time: number): number {
  return Math.floor(time / SAMPLE_MS);
}

function toRow({ at, diskFree, packages, purges, refusals, uploads }: UsageSample): SampleRow {
  return {
    ...{ at, packages, refusals, disk_free: diskFree ?? null },
    issued: uploads.issued.count,
    stored: uploads.stored.count,
    stored_bytes: uploads.stored.bytes,
    claimed: uploads.claimed.count,
    claimed_bytes: uploads.claimed.bytes,
    purging: uploads.purging.count,
    purging_bytes: uploads.purging.bytes,
    purged: uploads.purged.count,
    purged_bytes: uploads.purged.bytes,
    unclaimed: purges.unclaimed.count,
    unclaimed_bytes: purges.unclaimed.bytes,
    replaced: purges.replaced.count,
    replaced_bytes: purges.replaced.bytes,
    deleted: purges.deleted.count,
    deleted_bytes: purges.deleted.bytes,
    retired: purges.retired.count,
    retired_bytes: purges.retired.bytes,
  };
}

function toSample(row: SampleRow): UsageSample {
  return {
    ...{ at: row.at, packages: row.packages, refusals: row.refusals },
    ...(row.disk_free !== null && { diskFree: row.disk_free }),
    uploads: {
      issued: { count: row.issued, bytes: 0 },
      stored: { count: row.stored, bytes: row.stored_bytes },
      claimed: { count: row.claimed, bytes: row.claimed_bytes },
      purging: { count: row.purging, bytes: row.purging_bytes },
      purged: { count: row.purged, bytes: row.purged_bytes },
    },
    purges: {
      unclaimed: { count: row.unclaimed, bytes: row.unclaimed_bytes },
      replaced: { count: row.replaced, bytes: row.replaced_bytes },
      deleted: { count: row.deleted, bytes: row.deleted_bytes },
      retired: { count: row.retired, bytes: row.retired_bytes },
    },
  };
}

function prepareStatements(database: Database) {
  const columns = ['slot', 'at', ...LEVELS, ...EVENTS];
  const changes = [
    ...['at', ...LEVELS].map((name) => `${name} = excluded.${name}`),
    ...EVENTS.map((name) => `${name} = ${name} + excluded.${name}`),
  ];
  return {
    add: database.prepare<SampleRow & { slot: number }>(
      `INSERT INTO usage_samples (${columns.join(', ')})
       VALUES (${columns.map((name) => `:${name}`).join(', ')})
       ON CONFLICT (slot) DO UPDATE SET ${changes.join(', ')}`,
    ),
    // Beside max(at), SQLite takes the other columns of a group from the row that has it. A number of JavaScript is bound as
    // a REAL, by which a division would have fractions.
    list: database.prepare<SampleQueryValues, SampleRow>(
      `SELECT max(at) AS at, ${LEVELS.join(', ')},
         ${EVENTS.map((name) => `sum(${name}) AS ${name}`).join(', ')}
       FROM usage_samples
       WHERE slot BETWEEN :first AND :last AND at > :after AND at <= :until
       GROUP BY slot / CAST(:slots AS INTEGER) ORDER BY slot`,
    ),
    prune: database.prepare<[number]>('DELETE FROM usage_samples WHERE slot < ?'),
  };
}

interface SampleQueryValues {
  readonly after: number;
  readonly until: number;
  readonly first: number;
  readonly last: number;
  readonly slots: number;
}
