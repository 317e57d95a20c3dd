import type {
  ListedRefusal,
  RefusalQuery,
  RefusalRepeat,
  RefusalStore,
} from '../../refusals/refusal-journal.ts';
import type { RefusalGroup, RefusalGroupQuery } from '../../refusals/refusal-groups.ts';
import type { RefusalRecord } from '../../refusals/refusal-record.ts';
import { withoutNul } from '../../lib/nul.ts';
import { MAX_IDS, REFUSAL_COLUMNS, toRefusal } from '../refusal-rows.ts';
import type { RefusalRow } from '../refusal-rows.ts';
import type { Connections } from './connections.ts';
import { groupRefusals } from './refusal-groups.ts';
import { statement, unnamed } from './statement.ts';
import { RELAXED } from './upload-statements.ts';

/** Refusals that all gateways share. Writing them waits for no flush. */
export class PostgresRefusals implements RefusalStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async add(refusals: readonly RefusalRecord[], repeats: readonly RefusalRepeat[]): Promise<void> {
    if (refusals.length > 0) {
      const rows = JSON.stringify(refusals.map(toRow));
      await this.#connections.change(ADD, { rows });
    }
    for (const repeat of repeats) await this.#connections.change(REPEAT, repeat);
  }

  async find(requestId: string): Promise<RefusalRecord | undefined> {
    const { rows } = await this.#connections.read(FIND, { requestId });
    return rows[0] && toRefusal(rows[0])?.refusal;
  }

  async list({
    before = Number.MAX_SAFE_INTEGER,
    limit,
    ...wanted
  }: RefusalQuery): Promise<ListedRefusal[]> {
    const conditions = COLUMNS.filter(([name]) => wanted[name] !== undefined);
    const sql = `SELECT ${REFUSAL_COLUMNS} FROM refusals
       WHERE sequence < :before ${conditions.map(([name, column]) => `AND ${column} = :${name}`).join(' ')}
       ORDER BY sequence DESC LIMIT :limit`;
    const key = wanted.key === undefined ? undefined : withoutNul(wanted.key);
    const { rows } = await this.#connections.read(unnamed<RefusalQuery, RefusalRow>(sql), {
      ...wanted,
      ...(key !== undefined && { key }),
      before,
      limit,
    });
    return rows.flatMap((row) => toRefusal(row) ?? []);
  }

  groups(query: RefusalGroupQuery): Promise<RefusalGroup[]> {
    return groupRefusals(this.#connections, query);
  }

  async prune({
    before,
    keep,
    signaturesBefore,
  }: {
    readonly before: number;
    readonly keep: number;
    readonly signaturesBefore: number;
  }): Promise<void> {
    await this.#connections.change(PRUNE, { before });
    const { rows } = await this.#connections.read(COUNT, {});
    if ((rows[0]?.count ?? 0) > keep) {
      for (const isNamed of [true, false])
        await this.#connections.change(SHRINK, { isNamed, keep });
    }
    await this.#connections.change(FORGET_SIGNATURES, { before: signaturesBefore });
  }
}

/** The conditions of a list, and their columns. */
const COLUMNS = [
  ['account', 'account_id'],
  ['reason', 'reason'],
  ['code', 'code'],
  ['operation', 'operation'],
  ['key', 'object_key'],
] as const;

/** A client may have sent U+0000, which no text of PostgreSQL can have. The record has it as an escape of JSON. */
function toRow(refusal: RefusalRecord): object {
  const { account, at, code, evidence, key, operation, peer, reason, requestId } = refusal;
  const { signature, ...kept } = evidence;
  const texts = { requestId, code, reason, operation, account, peer, key, signature };
  return {
    ...Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [name.toLowerCase(), text && withoutNul(text)]),
    ),
    at,
    record: JSON.stringify({ ...refusal, evidence: kept }),
  };
}

/** The rows come as JSON, in their order. */
const ADD = statement<{ readonly rows: string }>(
  'add_refusals',
  `WITH added AS (
     INSERT INTO refusals (request_id, at, reason, code, operation, account_id, peer, object_key, repeats, signature,
       record)
     SELECT requestid, at, reason, code, operation, account, peer, key, 0, signature, record
     FROM json_to_recordset(CAST(:rows AS json)) AS row (requestid text, at bigint, reason text, code text,
         operation text, account text, peer text, key text, signature text, record text),
       ${RELAXED}
     RETURNING request_id, sequence)
   INSERT INTO refused_requests (request_id, sequence) SELECT request_id, sequence FROM added
   ON CONFLICT (request_id) DO NOTHING`,
);

/** The ids of the last repeats replace those of the earlier ones, except that of the refusal itself. */
const REPEAT = statement<RefusalRepeat>(
  'repeat_refusal',
  `WITH repeated AS (
     UPDATE refusals SET repeats = repeats + :count FROM ${RELAXED}
     WHERE sequence = (SELECT sequence FROM refused_requests WHERE request_id = :of)
     RETURNING sequence, repeats),
   forgotten AS (
     DELETE FROM refused_requests USING repeated
     WHERE refused_requests.sequence = repeated.sequence AND repeated.repeats > ${String(MAX_IDS)}
       AND request_id <> :of)
   INSERT INTO refused_requests (request_id, sequence)
   SELECT id, sequence FROM repeated, unnest(CAST(:requestIds AS text[])) AS id
   ON CONFLICT (request_id) DO NOTHING`,
);

const FIND = statement<{ readonly requestId: string }, RefusalRow>(
  'find_refusal',
  `SELECT ${REFUSAL_COLUMNS} FROM refusals
   WHERE sequence = (SELECT sequence FROM refused_requests WHERE request_id = :requestId)`,
);

const PRUNE = statement<{ readonly before: number }>(
  'prune_refusals',
  `DELETE FROM refusals USING ${RELAXED} WHERE at < :before`,
);

const COUNT = statement<object, { readonly count: number }>(
  'count_refusals',
  'SELECT count(*) AS count FROM refusals',
);

/** The newest of each account come first, so that those of the account with the most are removed. */
const SHRINK = statement<{ readonly isNamed: boolean; readonly keep: number }>(
  'shrink_refusals',
  `DELETE FROM refusals USING ${RELAXED} WHERE sequence IN (
     SELECT sequence FROM (
       SELECT sequence, row_number() OVER (PARTITION BY account_id ORDER BY sequence DESC) AS place
       FROM refusals WHERE (account_id IS NOT NULL) = :isNamed) AS ranked
     ORDER BY place, sequence DESC OFFSET :keep)`,
);

const FORGET_SIGNATURES = statement<{ readonly before: number }>(
  'forget_signatures',
  `UPDATE refusals SET signature = NULL FROM ${RELAXED} WHERE at < :before AND signature IS NOT NULL`,
);
