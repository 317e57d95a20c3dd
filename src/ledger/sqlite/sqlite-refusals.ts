import type { Database } from 'better-sqlite3';
import type {
  ListedRefusal,
  RefusalQuery,
  RefusalRepeat,
  RefusalStore,
} from '../../refusals/refusal-journal.ts';
import type { RefusalGroup, RefusalGroupQuery } from '../../refusals/refusal-groups.ts';
import type { RefusalRecord } from '../../refusals/refusal-record.ts';
import type { LedgerDatabase } from './database.ts';
import { MAX_IDS, REFUSAL_COLUMNS, toRefusal } from '../refusal-rows.ts';
import type { RefusalRow } from '../refusal-rows.ts';
import { RefusalGrouping } from './refusal-groups.ts';

interface ListParameters {
  readonly account: string | null;
  readonly reason: string | null;
  readonly code: string | null;
  readonly operation: string | null;
  readonly key: string | null;
  readonly before: number;
  readonly limit: number;
}

/** Refusals in the database of the ledger. Writing them never flushes anything. */
export class SqliteRefusals implements RefusalStore {
  readonly #database: LedgerDatabase;
  readonly #statements;
  readonly #grouping;

  constructor(database: LedgerDatabase) {
    this.#database = database;
    this.#statements = prepareStatements(database.database);
    this.#grouping = new RefusalGrouping(database.database);
  }

  add(refusals: readonly RefusalRecord[], repeats: readonly RefusalRepeat[]): Promise<void> {
    return this.#database.commits.run('relaxed', () => {
      for (const refusal of refusals) this.#insert(refusal);
      for (const repeat of repeats) this.#repeat(repeat);
    });
  }

  async find(requestId: string): Promise<RefusalRecord | undefined> {
    const row = this.#statements.find.get(requestId);
    return Promise.resolve(row && toRefusal(row)?.refusal);
  }

  async list(query: RefusalQuery): Promise<ListedRefusal[]> {
    const { account, before, code, key, limit, operation, reason } = query;
    const rows = this.#statements.list.all({
      account: account ?? null,
      code: code ?? null,
      operation: operation ?? null,
      reason: reason ?? null,
      key: key ?? null,
      before: before ?? Number.MAX_SAFE_INTEGER,
      limit,
    });
    return Promise.resolve(rows.flatMap((row) => toRefusal(row) ?? []));
  }

  async groups(query: RefusalGroupQuery): Promise<RefusalGroup[]> {
    return Promise.resolve(this.#grouping.list(query));
  }

  prune(limits: {
    readonly before: number;
    readonly keep: number;
    readonly signaturesBefore: number;
  }): Promise<void> {
    return this.#database.runPurge('relaxed', () => {
      const { before, keep, signaturesBefore } = limits;
      this.#statements.prune.run({ before });
      if ((this.#statements.count.get()?.count ?? 0) > keep) {
        for (const isNamed of [0, 1]) this.#statements.shrink.run({ isNamed, keep });
      }
      this.#statements.forgetSignatures.run({ before: signaturesBefore });
    });
  }

  #insert(refusal: RefusalRecord): void {
    const { account, at, code, evidence, key, operation, peer, reason, requestId } = refusal;
    const { signature, ...kept } = evidence;
    const { lastInsertRowid } = this.#statements.insert.run({
      ...{ at, code, reason, requestId },
      operation: operation ?? null,
      peer: peer ?? null,
      account: account ?? null,
      key: key ?? null,
      signature: signature ?? null,
      record: JSON.stringify({ ...refusal, evidence: kept }),
    });
    this.#statements.insertId.run(requestId, lastInsertRowid);
  }

  /** The ids of the last repeats replace those of the earlier ones, except that of the refusal itself. */
  #repeat({ count, of, requestIds }: RefusalRepeat): void {
    const row = this.#statements.find.get(of);
    if (row === undefined) return;
    const { sequence } = row;
    this.#statements.repeat.run({ count, sequence });
    if (row.repeats + count > MAX_IDS) this.#statements.forgetIds.run({ of, sequence });
    for (const requestId of requestIds) this.#statements.insertId.run(requestId, sequence);
  }
}

function prepareStatements(database: Database) {
  return {
    insert: database.prepare<Record<string, string | number | null>>(
      `INSERT INTO refusals (request_id, at, reason, code, operation, account_id, peer, object_key, repeats, signature,
         record)
       VALUES (:requestId, :at, :reason, :code, :operation, :account, :peer, :key, 0, :signature, :record)`,
    ),
    insertId: database.prepare<[string, number | bigint]>(
      'INSERT OR IGNORE INTO refused_requests (request_id, sequence) VALUES (?, ?)',
    ),
    repeat: database.prepare<{ count: number; sequence: number }>(
      'UPDATE refusals SET repeats = repeats + :count WHERE sequence = :sequence',
    ),
    forgetIds: database.prepare<{ of: string; sequence: number }>(
      'DELETE FROM refused_requests WHERE sequence = :sequence AND request_id <> :of',
    ),
    find: database.prepare<[string], RefusalRow>(
      `SELECT ${REFUSAL_COLUMNS} FROM refusals
       WHERE sequence = (SELECT sequence FROM refused_requests WHERE request_id = ?)`,
    ),
    list: database.prepare<ListParameters, RefusalRow>(
      `SELECT ${REFUSAL_COLUMNS} FROM refusals
       WHERE sequence < :before AND (:account IS NULL OR account_id = :account)
         AND (:reason IS NULL OR reason = :reason) AND (:key IS NULL OR object_key = :key)
         AND ((:code IS NULL AND :operation IS NULL) OR sequence IN (
           SELECT sequence FROM refusals INDEXED BY refusals_grouped
           WHERE (:code IS NULL OR code = :code) AND (:operation IS NULL OR operation = :operation)))
       ORDER BY sequence DESC LIMIT :limit`,
    ),
    prune: database.prepare<{ before: number }>('DELETE FROM refusals WHERE at < :before'),
    count: database.prepare<[], { count: number }>('SELECT count(*) AS count FROM refusals'),
    // The newest of each account come first, so that those of the account with the most are removed.
    shrink: database.prepare<{ isNamed: number; keep: number }>(
      `DELETE FROM refusals WHERE sequence IN (
         SELECT sequence FROM (
           SELECT sequence, row_number() OVER (PARTITION BY account_id ORDER BY sequence DESC) AS place
           FROM refusals WHERE (account_id IS NOT NULL) = :isNamed)
         ORDER BY place, sequence DESC LIMIT -1 OFFSET :keep)`,
    ),
    forgetSignatures: database.prepare<{ before: number }>(
      'UPDATE refusals SET signature = NULL WHERE at < :before AND signature IS NOT NULL',
    ),
  };
}
