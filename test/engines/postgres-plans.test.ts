import { Client } from 'pg';
import * as packages from '../../src/ledger/postgres/package-statements.ts';
import * as purge from '../../src/ledger/postgres/purge-statements.ts';
import * as uploads from '../../src/ledger/postgres/upload-statements.ts';
import type { Statement } from '../../src/ledger/postgres/statement.ts';
import { createSchema, openNode } from './support/postgres.ts';

/** Enough rows that reading a table or an index whole costs more than looking them up. */
const FILL = `
  INSERT INTO uploads (key, state, account_id, issued_at, policy_expires_at, locator, size, stored_at, headers,
    package_id, purging_since, purged_at)
  SELECT 'key' || n, (ARRAY['issued', 'stored', 'claimed', 'purging', 'purged'])[1 + n % 5], 'a' || n % 20, n, n,
    CASE WHEN n % 5 > 0 THEN 'locator' || n END, n, n, '{}', 'p' || n / 10, n, n
  FROM generate_series(1, 20000) AS n;
  INSERT INTO firmware_packages (id, account_id, instance_id, name, dest_version, differential, module_name,
    product_key, sign_method, status, verify_progress, created_at, modified_at)
  SELECT 'p' || n, 'a' || n % 500, 'i' || n % 100, 'name' || n, 'v' || n, 0, 'default', 'k' || n % 100, 'MD5', 0, 0, n, n
  FROM generate_series(1, 5000) AS n;
  INSERT INTO package_files (package_id, place, key, size, sign, md5)
  SELECT 'p' || n, 0, 'key', 1, '', '' FROM generate_series(1, 5000) AS n;`;

describe('PostgreSQL', () => {
  let client: Client;
  let drop: () => Promise<void>;

  beforeAll(async () => {
    const schema = await createSchema();
    ({ drop } = schema);
    await (await openNode(schema.url)).ledger.close();
    client = new Client({ connectionString: schema.url });
    await client.connect();
    await client.query(FILL);
    await client.query('ANALYZE');
    // The plan of a prepared statement, which has to suit any values.
    await client.query('SET plan_cache_mode = force_generic_plan');
  });

  afterAll(async () => {
    await client.end();
    await drop();
  });

  async function plan(text: string): Promise<string> {
    await client.query(`PREPARE asked AS ${text}`);
    try {
      const { rows: prepared } = await client.query<{ count: number }>(
        `SELECT cardinality(parameter_types) AS count FROM pg_prepared_statements WHERE name = 'asked'`,
      );
      const count = prepared[0]?.count ?? 0;
      const values = Array.from({ length: count }, () => 'NULL').join(', ');
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN EXECUTE asked${count === 0 ? '' : `(${values})`}`,
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    } finally {
      await client.query('DEALLOCATE asked');
    }
  }

  const page = { accountId: 'a', offset: 0, limit: 10 };

  const cases: [Pick<Statement<object, object>, 'name' | 'text'>, string[]][] = [
    [uploads.STORE_ISSUED, ['uploads_by_key']],
    [uploads.FIND_LIVE, ['uploads_by_key']],
    [uploads.LOCK_HOLDER, ['uploads_by_key']],
    [uploads.FIND_PURGED, ['uploads_gone_by_key']],
    [uploads.FIND_BODY, ['uploads_by_locator']],
    [uploads.ADD_SHA256, ['uploads_by_locator']],
    [uploads.CLAIM, ['uploads_by_locator', 'uploads_pkey']],
    [uploads.DELETE_STORED, ['uploads_by_locator']],
    [uploads.OLDEST_STORED, ['uploads_unclaimed']],
    [purge.EXPIRE, ['uploads_unclaimed', 'uploads_pkey']],
    [purge.TAKE_PURGING, ['uploads_purging', 'uploads_pkey']],
    [purge.CONFIRM_PURGED, ['uploads_pkey']],
    [purge.PRUNE_ISSUED, ['uploads_issued', 'uploads_pkey']],
    [purge.PRUNE_TOMBSTONES, ['uploads_tombstones', 'uploads_pkey']],
    [purge.LIST_BODIES, ['uploads_by_locator']],
    [packages.CHECK_PACKAGE, ['packages_by_name', 'packages_by_version', 'packages_by_instance']],
    [packages.DELETE_PACKAGE, ['uploads_by_package']],
    [packages.FIND_PACKAGE_BY_NAME, ['packages_by_name', 'package_files_pkey']],
    [packages.LOCK_OLD_PACKAGES, ['packages_by_age']],
    [packages.listPackages(page).list, ['packages_by_account']],
    [packages.listPackages({ ...page, productKey: 'p' }).list, ['packages_by_product']],
    [packages.listPackages({ ...page, instanceId: 'i' }).list, ['packages_by_instance']],
    [packages.listPackages({ ...page, destVersion: '1' }).list, ['packages_by_dest_version']],
  ];

  it.each(
    cases.map(([{ name = 'a list of packages', text }, indexes]) => [name, indexes, text] as const),
  )('runs %s with the indexes %j, while clients wait', async (_name, indexes, text) => {
    const found = await plan(text);
    for (const index of indexes) expect(found).toContain(` ${index} `);
    expect(found).not.toMatch(/Seq Scan on (?:uploads|firmware_packages)/);
  });
});
