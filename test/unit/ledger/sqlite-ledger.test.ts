import { cpSync, readdirSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { openLedgerDatabase } from '../../../src/ledger/sqlite/database.ts';
import { migrate } from '../../../src/ledger/sqlite/migrate.ts';
import { PackageTable } from '../../../src/ledger/sqlite/package-table.ts';
import { RefusalGrouping } from '../../../src/ledger/sqlite/refusal-groups.ts';
import type { LedgerChange } from '../../../src/uploads/ledger-changes.ts';
import { SqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { takeServerLock } from '../../../src/object-store/disk/folder-lock.ts';
import { fileHandlePrototype } from '../../support/file-handles.ts';

const OBJECT = { size: 1, md5: '', crc64: '', storedAt: 1, headers: {} };

describe('SQLite as a ledger', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ota-ledger-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('keeps its content across a restart', async () => {
    const first = new SqliteLedger(openLedgerDatabase(folder));
    await first.recordIssued({ key: 'k', accountId: 'a', issuedAt: 1, policyExpiresAt: 2 });
    await first.close();
    const second = new SqliteLedger(openLedgerDatabase(folder));
    expect(await second.findUpload('k')).toMatchObject({ state: 'issued' });
    await second.close();
  });

  it('can be closed twice', async () => {
    const ledger = new SqliteLedger(openLedgerDatabase(folder));
    await ledger.close();
    await expect(ledger.close()).resolves.toBeUndefined();
  });

  it('reports the account of each change, but nothing of a step that has failed', async () => {
    const ledger = new SqliteLedger(openLedgerDatabase(undefined));
    const changes: LedgerChange[] = [];
    const grant = { key: 'k1', accountId: 'a', issuedAt: 1, policyExpiresAt: 2 };
    const object = { ...OBJECT, size: 3, locator: 'l1' };
    const stop = await ledger.watch((change) => changes.push(change));
    await ledger.recordIssued(grant);
    // Both share a commit, which is rolled back for the second one, and done again without it.
    await Promise.allSettled([
      ledger.recordStored({ key: 'k1', object, forbidOverwrite: false }),
      ledger.recordIssued(grant),
    ]);
    stop();
    await ledger.recordIssued({ ...grant, key: 'k2' });
    const about = { kind: 'uploads', accountId: 'a', count: 1 };
    expect(changes).toEqual([
      { ...about, from: undefined, to: 'issued', bytes: 0 },
      { ...about, from: 'issued', to: 'stored', bytes: 3 },
    ]);
    await ledger.close();
  });

  it('rolls back a failed step, but not the steps that share its commit', async () => {
    const ledger = new SqliteLedger(openLedgerDatabase(undefined));
    const grant = { accountId: 'a', issuedAt: 1, policyExpiresAt: 2 };
    const outcomes = await Promise.allSettled([
      ledger.recordIssued({ key: 'k1', ...grant }),
      ledger.recordIssued({ key: 'k1', ...grant }),
      ledger.recordIssued({ key: 'k2', ...grant }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await ledger.findUpload('k2')).toBeDefined();
    await ledger.close();
  });

  it('keeps acknowledged rows when a flush of its log fails, and needs no restart', async () => {
    const ledger = new SqliteLedger(openLedgerDatabase(folder));
    const log = join(folder, 'gateway.sqlite3-wal');
    const store = (key: string): Promise<unknown> =>
      ledger.recordStored({ key, object: { ...OBJECT, locator: key }, forbidOverwrite: false });
    await store('k0');
    const flushing = jest.spyOn(await fileHandlePrototype(), 'datasync');
    flushing.mockRejectedValueOnce(new Error('EIO: i/o error, fdatasync'));
    await expect(store('k1')).rejects.toThrow('EIO');
    flushing.mockRestore();
    await expect(store('k2')).resolves.toBe('stored');
    // The log was emptied, because the failed flush may have left a hole in it.
    expect((await stat(log)).size).toBe(0);
    expect(await ledger.findUpload('k2')).toMatchObject({ state: 'stored' });
    await expect(store('k3')).resolves.toBe('stored');
    await ledger.close();
  });

  it('gives back the bodies of a step of the purge that was committed, but not flushed', async () => {
    const ledger = new SqliteLedger(openLedgerDatabase(folder));
    await ledger.recordStored({
      key: 'k0',
      object: { ...OBJECT, locator: 'l0' },
      forbidOverwrite: false,
    });
    const flushing = jest.spyOn(await fileHandlePrototype(), 'datasync');
    flushing.mockRejectedValueOnce(new Error('EIO: i/o error, fdatasync'));
    const now = OBJECT.storedAt;
    await expect(ledger.expireStored(now, now, now + 60_000, 10)).rejects.toThrow('EIO');
    flushing.mockRestore();
    expect(await ledger.takePurging(now, now + 60_000, 10)).toMatchObject([{ locator: 'l0' }]);
    await ledger.close();
  });

  it('finds uploads on both sides of a long row of removed ones', async () => {
    const opened = openLedgerDatabase(undefined);
    const ledger = new SqliteLedger(opened);
    const grant = { accountId: 'a', issuedAt: 1, policyExpiresAt: 2 };
    await ledger.recordIssued({ key: 'old', ...grant });
    opened.database
      .exec(`INSERT INTO uploads (sequence, key, state, account_id, issued_at, policy_expires_at)
      VALUES (900000, 'new', 'issued', 'a', 1, 2)`);
    const { uploads: all } = await ledger.findUploads({ limit: 3 });
    expect(all.map(({ upload }) => upload.key)).toEqual(['new', 'old']);
    expect((await ledger.findUploads({ accountId: 'a', limit: 3 })).uploads).toEqual(all);
    expect(await ledger.countUploads()).toMatchObject({ issued: { count: 2 } });
    await ledger.close();
  });

  it('looks at a part of a large ledger for one query, and says where to go on', async () => {
    const opened = openLedgerDatabase(undefined);
    const ledger = new SqliteLedger(opened);
    const insert = opened.database.prepare(
      `INSERT INTO uploads (sequence, key, state, account_id, issued_at, policy_expires_at)
       VALUES (?, ?, 'issued', 'a', 1, 2)`,
    );
    // Each is further from the next one than a query looks at once.
    for (let n = 1; n <= 30; n += 1) insert.run(n * 10_000, `k${String(n)}`);
    const first = await ledger.findUploads({ text: 'K1', limit: 100 });
    expect(first.uploads.map(({ upload }) => upload.key)).toEqual([
      'k19',
      'k18',
      'k17',
      'k16',
      'k15',
      'k14',
      'k13',
      'k12',
      'k11',
    ]);
    const { searchedTo } = first;
    expect(searchedTo).toBe(100_001);
    const query = { text: 'K1', limit: 100, ...(searchedTo && { beforeSequence: searchedTo }) };
    const rest = await ledger.findUploads(query);
    expect(rest.uploads.map(({ upload }) => upload.key)).toEqual(['k10', 'k1']);
    expect(rest).not.toHaveProperty('searchedTo');
    expect(await ledger.findUploads({ limit: 2 })).not.toHaveProperty('searchedTo');
    await ledger.close();
  });

  it('uses an index for every query while clients wait', async () => {
    const { database, close } = openLedgerDatabase(undefined);
    const plan = (sql: string): string =>
      JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
    const holdsKey = `state IN ('issued', 'stored', 'claimed')`;
    expect(plan(`SELECT * FROM uploads WHERE key = 'k' AND ${holdsKey}`)).toContain(
      'INDEX uploads_by_key',
    );
    expect(plan(`SELECT 1 FROM uploads WHERE locator = 'l' AND state <> 'purged'`)).toContain(
      'INDEX uploads_by_locator',
    );
    expect(
      plan(
        `SELECT sequence FROM uploads WHERE state = 'stored' AND stored_at <= 5 ORDER BY stored_at LIMIT 9`,
      ),
    ).toContain('INDEX uploads_unclaimed');
    expect(
      plan(
        `SELECT * FROM uploads WHERE state = 'purging' AND sequence > 3 ORDER BY sequence LIMIT 9`,
      ),
    ).toContain('INDEX uploads_purging');
    await close();
  });

  it.each([
    ['all', {}, ['account', 'account']],
    ['an instance', { instanceId: 'i' }, ['instance', 'instance']],
    ['a product', { productKey: 'p' }, ['product', 'product']],
    ['a version', { destVersion: '1' }, ['dest_version', 'dest_version']],
    ['an instance and a product', { instanceId: 'i', productKey: 'p' }, ['version', 'product']],
    [
      'an instance and a version',
      { instanceId: 'i', destVersion: '1' },
      ['dest_version', 'instance'],
    ],
    ['a product and a version', { productKey: 'p', destVersion: '1' }, ['dest_version', 'product']],
    ['everything', { instanceId: 'i', productKey: 'p', destVersion: '1' }, ['version', 'product']],
  ])(
    'counts and lists packages of %s with an index and without sorting',
    async (_, filter, indexes) => {
      const { database, close } = openLedgerDatabase(undefined);
      const table = new PackageTable(database);
      const prepare = jest.spyOn(database, 'prepare');
      const asked = { accountId: 'a', ...filter, limit: 10, offset: 0 };
      table.list(asked);
      const statements = prepare.mock.calls.map(([sql]) => sql);
      expect(statements).toHaveLength(2);
      for (const [n, sql] of statements.entries()) {
        const plan = JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(asked));
        expect(plan).toMatch(new RegExp(`SEARCH .*INDEX packages_by_${indexes[n] ?? ''} `));
        expect(plan).not.toContain('TEMP B-TREE');
      }
      await close();
    },
  );

  it('rejects a database that is newer than the program', async () => {
    const { database, close } = openLedgerDatabase(folder);
    database.exec(
      `INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'x', 'y')`,
    );
    await close();
    expect(() => openLedgerDatabase(folder)).toThrow(
      /has schema version 9999, this program knows up to \d+/,
    );
  });

  it('reads rows of a version that kept neither requests nor peers', async () => {
    const migrations = join(__dirname, '..', '..', '..', 'migrations');
    const older = join(folder, 'older');
    await mkdir(older);
    for (const name of await readdir(migrations))
      if (name < '0006') await copyFile(join(migrations, name), join(older, name));
    const before = new SqliteDatabase(join(folder, 'gateway.sqlite3'));
    migrate(before, older);
    before.exec(
      `INSERT INTO uploads (key, state, locator, size, md5, crc64, stored_at, headers, package_id, purge_reason, purging_since)
       VALUES ('k1', 'claimed', 'l1', 1, '', '', 1, '{}', 'p1', NULL, NULL),
         ('k2', 'purging', 'l2', 1, '', '', 1, '{}', NULL, 'deleted', 2)`,
    );
    before.close();
    const ledger = new SqliteLedger(openLedgerDatabase(folder));
    const object = { ...OBJECT, locator: 'l1' };
    const claimed = { key: 'k1', state: 'claimed', object, packageId: 'p1' };
    expect(await ledger.findUpload('k1')).toStrictEqual(claimed);
    expect((await ledger.findPurged('k2'))?.purge).toStrictEqual({
      reason: 'deleted',
      purgingSince: 2,
    });
    await ledger.close();
  });

  it('rejects a migration that was changed after it was applied', async () => {
    const database = new SqliteDatabase(':memory:');
    await writeFile(join(folder, '0001_first.sql'), 'CREATE TABLE a (x);');
    migrate(database, folder);
    await writeFile(join(folder, '0001_first.sql'), 'CREATE TABLE b (x);');
    expect(() => {
      migrate(database, folder);
    }).toThrow(/0001_first\.sql was changed after it had been applied/);
    database.close();
  });

  it('applies no migration when one of them fails', async () => {
    const database = new SqliteDatabase(':memory:');
    await writeFile(join(folder, '0001_first.sql'), 'CREATE TABLE a (x);');
    await writeFile(join(folder, '0002_second.sql'), 'CREATE TABLE a (x);');
    expect(() => {
      migrate(database, folder);
    }).toThrow(/table a already exists/);
    expect(database.prepare('SELECT name FROM sqlite_master').all()).toEqual([]);
    database.close();
  });

  it('locks the data folder for one server, and names its process', () => {
    const lock = takeServerLock(folder);
    expect(() => takeServerLock(folder)).toThrow(
      `another server uses the data folder ${folder}: process ${String(process.pid)}`,
    );
    lock.release();
    takeServerLock(folder).release();
  });

  it.each([
    ['text', Buffer.from('garbled'.repeat(1000))],
    ['zeros', Buffer.alloc(8192)],
    ['nothing', Buffer.alloc(0)],
  ])('repairs a lock file that contains %s', async (_what, content) => {
    await writeFile(join(folder, 'server.lock'), content);
    const lock = takeServerLock(folder);
    expect(() => takeServerLock(folder)).toThrow('another server uses the data folder');
    lock.release();
  });

  it('says what to do about a lock file that cannot be locked', async () => {
    await mkdir(join(folder, 'server.lock'));
    expect(() => takeServerLock(folder)).toThrow(
      /server\.lock cannot be locked: .*remove it and start again/,
    );
  });

  it('locks the data folder although the process id cannot be written', async () => {
    await mkdir(join(folder, 'server.pid'));
    const lock = takeServerLock(folder);
    expect(() => takeServerLock(folder)).toThrow('its process is not known');
    lock.release();
  });

  it('groups the refusals that an earlier version has kept', async () => {
    const all = join(__dirname, '..', '..', '..', 'migrations');
    const earlier = readdirSync(all).filter((name) => name < '0009');
    for (const name of earlier) cpSync(join(all, name), join(folder, name));
    const database = new SqliteDatabase(':memory:');
    migrate(database, folder);
    database
      .prepare(
        `INSERT INTO refusals (request_id, at, reason, repeats, record) VALUES ('R1', 1, 'limit', 2, ?)`,
      )
      .run(JSON.stringify({ code: 'AccessDenied', operation: 'PostObject', peer: '192.0.2.1' }));
    migrate(database);
    expect(new RefusalGrouping(database).list({ limit: 9 })).toMatchObject([
      { code: 'AccessDenied', operation: 'PostObject', count: 3, who: { names: ['192.0.2.1'] } },
    ]);
    database.close();
  });
});
