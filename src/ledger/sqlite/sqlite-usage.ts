import type { Database } from 'better-sqlite3';
import { SAMPLE_MS } from '../../uploads/usage-history.ts';
import type { SampleQuery, UsageHistory, UsageSample } from '../../uploads/usage-history.ts';
import { ADD_SAMPLE, EVENTS, LEVELS, slotOf, toSample, toSampleRow } from '../usage-rows.ts';
import type { SampleRow } from '../usage-rows.ts';
import type { LedgerDatabase } from './database.ts';

/** Samples of the usage in the database of the ledger. Writing them never flushes anything. */
export class SqliteUsage implements UsageHistory {
  readonly #database: LedgerDatabase;
  readonly #statements;

  constructor(database: LedgerDatabase) {
    this.#database = database;
    this.#statements = prepareStatements(database.database);
  }

  add(sample: UsageSample): Promise<void> {
    const row = toSampleRow(sample);
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

function prepareStatements(database: Database) {
  return {
    add: database.prepare<SampleRow & { slot: number }>(ADD_SAMPLE),
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
