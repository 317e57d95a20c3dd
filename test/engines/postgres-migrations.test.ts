import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { migrate, requireCurrentSchema } from '../../src/ledger/postgres/migrate.ts';
import { openExistingPostgresRecords } from '../../src/ledger/postgres/records.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { folderForEachTest } from '../support/suite.ts';
import { createSchema, openNode, runSql } from './support/postgres.ts';

describe('the migrations of PostgreSQL', () => {
  const folder = folderForEachTest();
  let url: string;
  let drop: () => Promise<void>;

  beforeEach(async () => {
    ({ drop, url } = await createSchema());
  });

  afterEach(() => drop());

  /** The migrations of a version of the program. */
  async function version(name: string, files: Record<string, string>): Promise<string> {
    const path = join(folder.path, name);
    await mkdir(path);
    for (const [file, sql] of Object.entries(files)) await writeFile(join(path, file), sql);
    return path;
  }

  it('are applied once when five gateways start at once on an empty database', async () => {
    for (let round = 0; round < 3; round += 1) {
      const empty = await createSchema();
      const nodes = await Promise.all(Array.from({ length: 5 }, () => openNode(empty.url)));
      const grant = { accountId: 'a', issuedAt: 1, policyExpiresAt: 2 };
      await Promise.all(
        nodes.map(({ ledger }, n) => ledger.recordIssued({ key: `k${String(n)}`, ...grant })),
      );
      expect(await nodes[0]?.ledger.listUploads(0, 10)).toHaveLength(5);
      await Promise.all(nodes.map(({ ledger }) => ledger.close()));
      await empty.drop();
    }
  });

  it('are all undone when one of them fails', async () => {
    const broken = await version('broken', {
      '0001_first.sql': 'CREATE TABLE a (x integer);',
      '0002_second.sql': 'CREATE TABLE a (x integer);',
    });
    await expect(migrate({ url }, broken)).rejects.toThrow('relation "a" already exists');
    const tables = 'SELECT FROM pg_tables WHERE schemaname = current_schema()';
    expect(await runSql(url, tables)).toEqual([]);
  });

  it('must not be changed after they were applied', async () => {
    const first = await version('first', { '0001_first.sql': 'CREATE TABLE a (x integer);' });
    const changed = await version('changed', { '0001_first.sql': 'CREATE TABLE b (x integer);' });
    await migrate({ url }, first);
    await expect(migrate({ url }, changed)).rejects.toThrow(
      /0001_first\.sql was changed after it had been applied/,
    );
  });

  it('of a newer version stop an older program, unless they suit it', async () => {
    const first = { '0001_first.sql': 'CREATE TABLE a (x integer);' };
    const second = { ...first, '0002_second.sql': '-- suits: 0001\nALTER TABLE a ADD y integer;' };
    const third = { ...second, '0003_third.sql': 'ALTER TABLE a DROP x;' };
    const [one, two, three] = [
      await version('one', first),
      await version('two', second),
      await version('three', third),
    ];
    await migrate({ url }, two);
    await migrate({ url }, one);
    await requireCurrentSchema({ url }, one);
    await migrate({ url }, three);
    for (const older of [one, two]) {
      await expect(migrate({ url }, older)).rejects.toThrow(
        /the ledger has schema version 3, this program knows up to [12]: start a newer program/,
      );
      await expect(requireCurrentSchema({ url }, older)).rejects.toThrow('schema version 3');
    }
  });

  it('are not applied by a command', async () => {
    const command = openExistingPostgresRecords({ url, connections: 1 }, silentLogger);
    await expect(command).rejects.toThrow('the ledger has schema version 0, this program needs 2');
  });
});
