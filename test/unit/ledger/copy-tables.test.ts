import { copyTables } from '../../../src/ledger/copy/copy-tables.ts';
import { COPIED_TABLES } from '../../../src/ledger/copy/tables.ts';
import type { LedgerDatabase } from '../../../src/ledger/sqlite/database.ts';
import { openLedgerDatabase } from '../../../src/ledger/sqlite/database.ts';
import { SqliteRows } from '../../../src/ledger/sqlite/sqlite-rows.ts';

let source: LedgerDatabase;
let target: LedgerDatabase;

beforeEach(() => {
  source = openLedgerDatabase(undefined);
  target = openLedgerDatabase(undefined);
});

afterEach(async () => {
  await source.close();
  await target.close();
});

function rowsOf({ database }: LedgerDatabase): Record<string, unknown[]> {
  return Object.fromEntries(
    COPIED_TABLES.map(({ key, name }) => [
      name,
      database.prepare(`SELECT * FROM ${name} ORDER BY ${key.join()}`).all(),
    ]),
  );
}

/** Adds more rows to each table than a page has. */
function fill({ database }: LedgerDatabase): void {
  const numbers = 'WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)';
  database.exec(`${numbers} INSERT INTO uploads (sequence, key, state, account_id, issued_at)
    SELECT i * 3, 'k' || i, 'issued', iif(i % 2, 'acme', NULL), i FROM n`);
  database.exec(`${numbers} INSERT INTO firmware_packages (id, account_id, instance_id, name,
      dest_version, differential, module_name, sign_method, status, verify_progress, created_at, modified_at)
    SELECT 'p' || i, 'acme', '', 'n' || i, '1', 0, 'default', 'MD5', -1, 0, i, i FROM n`);
  database.exec(`${numbers} INSERT INTO package_files (package_id, place, name, key, size, sign, md5)
    SELECT 'p' || (i % 2 + 1), i, 'Firmware', 'k' || i, i, '', '' FROM n`);
  database.exec(`${numbers} INSERT INTO nonces (access_key_id, nonce, expires_at)
    SELECT 'a' || (i % 3), 'n' || i, i FROM n`);
  database.exec(`${numbers} INSERT INTO refusals (request_id, at, reason, code, repeats, record)
    SELECT 'r' || i, i, 'clock', 'Expired', 0, '{}' FROM n`);
  database.exec(`${numbers} INSERT INTO refused_requests (request_id, sequence)
    SELECT 'r' || i, i FROM n`);
  const { columns = [] } = COPIED_TABLES.find(({ name }) => name === 'usage_samples') ?? {};
  database.exec(`${numbers} INSERT INTO usage_samples (${columns.join()})
    SELECT ${columns.map(() => 'i').join()} FROM n`);
}

describe('the copy of a ledger', () => {
  it('has every row of every table, read in pages', async () => {
    fill(source);
    const [from, to] = [new SqliteRows(source), new SqliteRows(target)];
    let largest = 0;
    const copied = await copyTables(
      {
        readRows: async (...page) => {
          const rows = await from.readRows(...page);
          largest = Math.max(largest, rows.length);
          return rows;
        },
      },
      to,
    );
    expect(copied).toBe(450 * COPIED_TABLES.length);
    expect(largest).toBe(200);
    expect(rowsOf(target)).toEqual(rowsOf(source));
  });

  it('replaces no row', async () => {
    fill(source);
    target.database.exec(`INSERT INTO uploads (sequence, key, state) VALUES (3, 'own', 'issued')`);
    const copying = copyTables(new SqliteRows(source), new SqliteRows(target));
    // An error of SQLite may be of another realm, which `toThrow` does not take for an error.
    await expect(copying).rejects.toMatchObject({
      message: 'UNIQUE constraint failed: uploads.sequence',
    });
    expect(rowsOf(target)['uploads']).toMatchObject([{ key: 'own' }]);
  });

  it('ends when it is stopped', async () => {
    fill(source);
    const stopping = new AbortController();
    stopping.abort(new Error('stopped'));
    const rows = new SqliteRows(target);
    await expect(copyTables(new SqliteRows(source), rows, stopping.signal)).rejects.toThrow(
      'stopped',
    );
  });

  it('lists each table of a data folder with all its columns', () => {
    const tables = source.database
      .prepare<[], { name: string }>(`SELECT name FROM sqlite_master WHERE type = 'table'`)
      .all()
      .map(({ name }) => name)
      .filter((name) => name !== 'schema_migrations');
    expect(COPIED_TABLES.map(({ name }) => name).sort()).toEqual(tables.sort());
    for (const { columns, key, name } of COPIED_TABLES) {
      const found = source.database
        .prepare<[string], { name: string; pk: number }>(
          'SELECT name, pk FROM pragma_table_info(?)',
        )
        .all(name);
      expect([...columns].sort()).toEqual(found.map((column) => column.name).sort());
      const primary = found.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
      expect(key).toEqual(primary.map((column) => column.name));
    }
  });
});
