import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import type { CopiedRow, RowSource, RowTarget } from '../copy/copy-tables.ts';
import { copiedRows, pageParameters, selectPage } from '../copy/copy-tables.ts';
import type { CopiedTable } from '../copy/tables.ts';
import type { LedgerDatabase } from './database.ts';
import { LEDGER_FILE, openLedgerDatabase } from './database.ts';

/** The rows of a ledger in SQLite, to copy them. */
export class SqliteRows implements RowSource, RowTarget {
  readonly #database: Database;

  constructor({ database }: LedgerDatabase) {
    this.#database = database;
  }

  async readRows(
    table: CopiedTable,
    after: CopiedRow | undefined,
    limit: number,
  ): Promise<readonly CopiedRow[]> {
    const select = this.#database.prepare(selectPage(table, after === undefined, () => '?'));
    return copiedRows.parse(select.all(...pageParameters(table, after, limit)));
  }

  async addRows({ columns, name }: CopiedTable, rows: readonly CopiedRow[]): Promise<void> {
    const values = columns.map((column) => `:${column}`).join(', ');
    const insert = this.#database.prepare(
      `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${values})`,
    );
    for (const row of rows) insert.run(row);
  }
}

/**
 * Writes a new ledger into a folder, which replaces one that an earlier call has left there.
 * @returns when it is durable. When it throws, what it has written cannot be used
 */
export async function createLedger(
  dataDir: string,
  copy: (target: RowTarget) => Promise<unknown>,
): Promise<void> {
  const path = join(dataDir, LEDGER_FILE);
  for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true });
  const ledger = openLedgerDatabase(dataDir);
  const { database } = ledger;
  try {
    // Nothing has to be undone or kept in between, and the rows of an index come in any order.
    for (const setting of ['journal_mode = OFF', 'synchronous = OFF', 'cache_size = -65536']) {
      database.pragma(setting);
    }
    database.exec('BEGIN');
    await copy(new SqliteRows(ledger));
    database.exec('COMMIT');
    database.pragma('journal_mode = WAL');
  } finally {
    await ledger.close();
  }
  await using file = await open(path, 'r');
  await file.sync();
}
