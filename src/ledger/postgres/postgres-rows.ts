import type { Client } from 'pg';
import { z } from 'zod';
import { withoutNul } from '../../lib/nul.ts';
import type { CopiedRow, RowSource, RowTarget } from '../copy/copy-tables.ts';
import { copiedRows, pageParameters, selectPage } from '../copy/copy-tables.ts';
import { LEDGER_USE, copied, copying } from '../copy/ledger-use.ts';
import type { CopiedTable } from '../copy/tables.ts';
import { COPIED_TABLES } from '../copy/tables.ts';
import type { PostgresAddress } from './connections.ts';
import { withClient } from './connections.ts';
import { requireCurrentSchema } from './migrate.ts';

/** Where to connect; the statements may take any time. */
type Address = Pick<PostgresAddress, 'url' | 'timeouts'>;

/** A machine that is cut off from the network in the middle of a copy must not keep its locks. */
const FREE_SOON = "SET LOCAL idle_in_transaction_session_timeout = '60s'";

const foundRows = z.array(z.object({ found: z.boolean() }));

/**
 * Reads a ledger as it is at one moment, while gateways may be using it.
 * @throws when its schema is older than that of this program, or too new
 */
export async function readSnapshot<T>(
  address: Address,
  read: (source: RowSource) => Promise<T>,
): Promise<T> {
  await requireCurrentSchema(address);
  return withClient(address, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(FREE_SOON);
    return read(new PostgresRows(client));
  });
}

/** @returns a table of a ledger that has rows; undefined when it has none */
export function findUsedTable(address: Address): Promise<string | undefined> {
  return withClient(address, findUsed);
}

/**
 * Fills an empty ledger in one transaction, so that it has all or nothing, and then lets gateways use it.
 * @param origin - what it is filled from; the ledger must be kept for it
 * @throws when the ledger has rows, or is not kept for this origin
 */
export function fillLedger<T>(
  address: Address,
  origin: string,
  copy: (target: RowTarget) => Promise<T>,
): Promise<T> {
  return withClient(address, async (client) => {
    await client.query('BEGIN');
    await client.query(FREE_SOON);
    const names = COPIED_TABLES.map(({ name }) => name);
    await client.query(`LOCK TABLE ${names.join(', ')} IN EXCLUSIVE MODE`);
    const used = await findUsed(client);
    if (used !== undefined) throw new Error(`the table ${used} of the ledger has got rows`);
    const result = await copy(new PostgresRows(client));
    for (const { isNumbered, name } of COPIED_TABLES) {
      if (isNumbered) await client.query(continueNumbers(name));
    }
    await countTotals(client);
    const { rowCount } = await client.query(
      'UPDATE agreements SET value = $3 WHERE name = $1 AND value = $2',
      [LEDGER_USE, copying(origin), copied(origin)],
    );
    if (rowCount !== 1) throw new Error('the ledger is no longer kept for this copy');
    await client.query('COMMIT');
    return result;
  });
}

async function findUsed(client: Client): Promise<string | undefined> {
  for (const { name } of COPIED_TABLES) {
    const { rows } = await client.query(`SELECT EXISTS (SELECT 1 FROM ${name}) AS found`);
    if (foundRows.parse(rows)[0]?.found === true) return name;
  }
  return undefined;
}

/** The next row gets a number after the highest one. */
function continueNumbers(table: string): string {
  return `SELECT setval(pg_get_serial_sequence('${table}', 'sequence'), coalesce(max(sequence), 1),
    max(sequence) IS NOT NULL) FROM ${table}`;
}

/** The triggers have added a row for each row. */
async function countTotals(client: Client): Promise<void> {
  await client.query('TRUNCATE totals');
  await client.query(
    `INSERT INTO totals (account_id, state, count, bytes)
     SELECT account_id, state, count(*), coalesce(sum(size), 0) FROM uploads GROUP BY account_id, state
     UNION ALL
     SELECT account_id, 'package', count(*), 0 FROM firmware_packages GROUP BY account_id`,
  );
}

/** The rows of a ledger in PostgreSQL, to copy them. */
class PostgresRows implements RowSource, RowTarget {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async readRows(
    table: CopiedTable,
    after: CopiedRow | undefined,
    limit: number,
  ): Promise<readonly CopiedRow[]> {
    const text = selectPage(table, after === undefined, (number) => `$${String(number)}`);
    const { rows } = await this.#client.query(text, pageParameters(table, after, limit));
    return copiedRows.parse(rows);
  }

  /** The rows come as JSON, whose texts get the types of their columns. */
  async addRows({ columns, name }: CopiedTable, rows: readonly CopiedRow[]): Promise<void> {
    const names = columns.join(', ');
    await this.#client.query(
      `INSERT INTO ${name} (${names}) OVERRIDING SYSTEM VALUE
       SELECT ${names} FROM json_populate_recordset(NULL::${name}, CAST($1 AS json))`,
      [JSON.stringify(rows.map(withoutNuls))],
    );
  }
}

/** A ledger of an older version may have texts that PostgreSQL cannot store. */
function withoutNuls(row: CopiedRow): CopiedRow {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === 'string' ? withoutNul(value) : value,
    ]),
  );
}
