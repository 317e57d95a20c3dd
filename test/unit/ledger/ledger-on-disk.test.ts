import fs from 'node:fs';
import { mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { LedgerDatabase } from '../../../src/ledger/sqlite/database.ts';
import { openLedgerDatabase } from '../../../src/ledger/sqlite/database.ts';
import { openDiskSpace } from '../../../src/ledger/sqlite/disk-space.ts';
import { SqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { SqliteNonces } from '../../../src/ledger/sqlite/sqlite-nonces.ts';
import { compact, canReclaimSpace } from '../../../src/ledger/sqlite/vacuum.ts';
import { fileHandlePrototype } from '../../support/file-handles.ts';

const MIB = 1024 * 1024;
const GRANT = { accountId: 'a', issuedAt: 1, policyExpiresAt: 2 };
const HEADERS = { expires: 'x'.repeat(8000) };

let folder: string;
let database: LedgerDatabase;
let ledger: SqliteLedger;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ota-ledger-'));
});

afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

function open(minFree?: number): void {
  database = openLedgerDatabase(
    folder,
    minFree === undefined ? undefined : openDiskSpace(folder, minFree),
  );
  ledger = new SqliteLedger(database);
}

const store = (key: string, ledgerOf = ledger): Promise<unknown> => {
  const object = { locator: key, size: 1, md5: '', crc64: '', storedAt: 1, headers: HEADERS };
  return ledgerOf.recordStored({ key, object, forbidOverwrite: false });
};

async function fill(count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, n) => store(String(n))));
}

/** Removes all uploads and their tombstones. */
async function purgeAll(): Promise<void> {
  const bodies = await ledger.expireStored(1, 2, 2, 1_000_000);
  await ledger.confirmPurged(
    bodies.map(({ sequence }) => sequence),
    3,
  );
  await ledger.pruneTombstones(4, 1_000_000);
}

const sizeOf = async (name: string): Promise<number> => (await stat(join(folder, name))).size;

describe('the file of a ledger', () => {
  it('becomes small again after its rows are removed', async () => {
    open();
    await fill(3000);
    await purgeAll();
    const before = await sizeOf('gateway.sqlite3');
    expect(before).toBeGreaterThan(20 * MIB);
    let steps = 1;
    while (await ledger.reclaimSpace()) steps += 1;
    // Many steps, so each is short.
    expect(steps).toBeGreaterThan(50);
    expect(await sizeOf('gateway.sqlite3')).toBeLessThan(6 * MIB);
    expect(database.database.pragma('integrity_check', { simple: true })).toBe('ok');
  });

  it('keeps its size while a few rows are added and removed', async () => {
    open();
    await fill(100);
    await purgeAll();
    const { changes } = database.database.prepare('DELETE FROM uploads').run();
    expect(changes).toBe(0);
    const before = await sizeOf('gateway.sqlite3');
    expect(await ledger.reclaimSpace()).toBe(false);
    expect(await sizeOf('gateway.sqlite3')).toBe(before);
  });

  it('has a log that becomes small again after a burst', async () => {
    open();
    await store('first');
    const reader = new SqliteDatabase(join(folder, 'gateway.sqlite3'), { readonly: true });
    const reading = reader.prepare('SELECT * FROM uploads').iterate();
    reading.next();
    await fill(3000);
    const log = 'gateway.sqlite3-wal';
    expect(await sizeOf(log)).toBeGreaterThan(20 * MIB);
    reading.return?.();
    reader.close();
    for (const key of ['a', 'b', 'c']) await store(key);
    expect(await sizeOf(log)).toBeLessThanOrEqual(8 * MIB);
  });

  it('of an older version returns no space until it is rewritten', async () => {
    const old = new SqliteDatabase(join(folder, 'gateway.sqlite3'));
    old.pragma('journal_mode = WAL');
    old.exec('CREATE TABLE other (x)');
    old.close();
    open();
    expect(canReclaimSpace(database.database)).toBe(false);
    await fill(1000);
    await purgeAll();
    expect(await ledger.reclaimSpace()).toBe(false);
    expect(await sizeOf('gateway.sqlite3')).toBeGreaterThan(6 * MIB);

    compact(database.database);
    expect(canReclaimSpace(database.database)).toBe(true);
    await database.close();
    expect(await sizeOf('gateway.sqlite3')).toBeLessThan(MIB);
    open();
    expect(canReclaimSpace(database.database)).toBe(true);
    await expect(store('k')).resolves.toBe('stored');
  });
});

describe('the disk of a ledger', () => {
  it('has no room for new uploads, but for everything else, when too little is free', async () => {
    open(0);
    await ledger.recordIssued({ key: 'before', ...GRANT });
    await store('stored');
    await database.close();
    const { bavail, bsize } = await statfs(folder);
    open(4 * bavail * bsize);
    await expect(ledger.recordIssued({ key: 'k', ...GRANT })).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    await expect(store('before')).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await ledger.findUpload('before')).toMatchObject({ state: 'issued' });
    const nonces = new SqliteNonces(database);
    expect(await nonces.burn('ak', 'n', 1)).toBe(true);
    expect(await ledger.deleteUpload('stored', 'stored', 2)).toBe(true);
    expect(await ledger.pruneIssued(3, 10)).toBe(1);
  });

  it('is checked from time to time, and every time while too little is free', async () => {
    open(1);
    const asking = jest.spyOn(fs, 'statfsSync');
    for (let n = 0; n < 300; n += 1) await ledger.recordIssued({ key: `k${String(n)}`, ...GRANT });
    expect(asking).toHaveBeenCalledTimes(3);
    const facts = fs.statfsSync(folder);
    asking.mockReturnValue(Object.assign(facts, { bavail: 0 }));
    const refusals = Array.from({ length: 300 }, (_, n) =>
      ledger.recordIssued({ key: `more${String(n)}`, ...GRANT }).catch(() => 'refused'),
    );
    const refused = (await Promise.all(refusals)).filter((outcome) => outcome === 'refused');
    expect(refused.length).toBeGreaterThan(300 - 128);
    asking.mockRestore();
    await expect(ledger.recordIssued({ key: 'k', ...GRANT })).resolves.toBeUndefined();
  });

  it('is not writable while too little is free, and checks it each time', async () => {
    open(2 ** 50);
    await expect(ledger.requireWritable()).rejects.toMatchObject({ code: 'ENOSPC' });
  });

  it('is checked by a write, which takes room in the log', async () => {
    open(0);
    const before = await sizeOf('gateway.sqlite3-wal');
    await ledger.requireWritable();
    expect(await sizeOf('gateway.sqlite3-wal')).toBeGreaterThan(before);
    database.database.pragma('query_only = ON');
    await expect(ledger.requireWritable()).rejects.toMatchObject({ code: 'SQLITE_READONLY' });
  });

  it('has an allocated reserve, which is allocated again after it was freed', async () => {
    open(0);
    const reserve = join(folder, 'gateway.reserve');
    const { blocks, size } = await stat(reserve);
    expect(size).toBe(8 * MIB);
    expect(blocks * 512).toBeGreaterThanOrEqual(size);
    expect(database.space.releaseReserve()).toBe(true);
    expect(database.space.releaseReserve()).toBe(false);
    await expect(stat(reserve)).rejects.toMatchObject({ code: 'ENOENT' });
    await ledger.reclaimSpace();
    expect((await stat(reserve)).size).toBe(8 * MIB);
  });

  it('frees the reserve once for a step of the purge that finds it full', async () => {
    open(0);
    await store('k');
    const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    const expire = jest.spyOn(database.commits, 'run').mockRejectedValueOnce(full);
    expect(await ledger.expireStored(1, 2, 2, 10)).toMatchObject([{ key: 'k' }]);
    await expect(stat(join(folder, 'gateway.reserve'))).rejects.toMatchObject({ code: 'ENOENT' });
    expire.mockRejectedValueOnce(full);
    await expect(ledger.pruneTombstones(9, 10)).rejects.toBe(full);
    expire.mockRestore();
  });

  it('recovers after it was full during a flush and during the checkpoint that follows', async () => {
    open(0);
    const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    await store('k0');
    const flushing = jest.spyOn(await fileHandlePrototype(), 'datasync');
    flushing.mockRejectedValueOnce(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    await expect(store('k1')).rejects.toMatchObject({ code: 'ENOSPC' });
    const mending = jest.spyOn(database.database, 'pragma').mockImplementation(() => {
      throw full;
    });
    await expect(store('k2')).rejects.toBe(full);
    // The purge frees the reserve, which makes room.
    const { releaseReserve } = database.space;
    jest.spyOn(database.space, 'releaseReserve').mockImplementation(() => {
      mending.mockRestore();
      return releaseReserve();
    });
    await expect(ledger.expireStored(0, 2, 2, 1)).resolves.toEqual([]);
    await expect(store('k3')).resolves.toBe('stored');
    flushing.mockRestore();
    // An upload that was rejected because of its flush may still be recorded; an acknowledged one must be.
    expect(await ledger.findUpload('k0')).toMatchObject({ state: 'stored' });
    expect(await ledger.findUpload('k3')).toMatchObject({ state: 'stored' });
  });
});
