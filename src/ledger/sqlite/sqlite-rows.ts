import type { Database } from 'better-sqlite3';
import type { CopiedRow, RowSource, RowTarget } from '../copy/copy-tables.ts';
import { copiedRows, pageParameters, selectPage } from '../copy/copy-tables.ts';
import type { CopiedTable } from '../copy/tables.ts';
import type { LedgerDatabase } from './database.ts';

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
    this.#database.transaction(() => {
      for (const row of rows) insert.run(row);
    })();
  }
}
