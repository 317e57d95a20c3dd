import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedgerDatabase } from '../../../src/ledger/sqlite/database.ts';
import { SqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { wallClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { objectPath } from '../../../src/object-store/disk/layout.ts';
import { S3Inventory } from '../../../src/object-store/s3/s3-inventory.ts';
import { sweep } from '../../../src/object-store/s3/sweep.ts';
import type { SweepReport } from '../../../src/uploads/daily-sweep.ts';
import { inChunks, patternBytes } from '../../support/bytes.ts';
import { openTestStore, ORPHAN_AGE } from '../support/s3-store.ts';
import type { TestStore } from '../support/s3-store.ts';

let subject: TestStore;
let ledger: SqliteLedger;

beforeEach(async () => {
  subject = await openTestStore();
  ledger = new SqliteLedger(openLedgerDatabase(undefined));
});

afterEach(async () => {
  await subject.dispose();
  await ledger.close();
});

const sweepOlderThan = (age: number): Promise<SweepReport> =>
  sweep({ bodies: subject.bodies, ledger, clock: wallClock, logger: silentLogger }, age);

async function store(locator: string): Promise<void> {
  const body = await subject.store.put(locator, inChunks(patternBytes(100), 50));
  const object = { locator, ...body, storedAt: wallClock.now(), headers: {} };
  await ledger.recordStored({ key: `k/${locator}`, object, forbidOverwrite: false });
}

describe('the sweep of a store', () => {
  it('gives up each body without a row once, and the purge gets it', async () => {
    await store('row1');
    await subject.store.put('orphan1', inChunks(patternBytes(100), 50));
    expect(await sweepOlderThan(0)).toEqual({ bodies: 2, disowned: 1, uploads: 0 });
    expect(await sweepOlderThan(0)).toEqual({ bodies: 2, disowned: 0, uploads: 0 });
    const taken = await ledger.takePurging(1, 2, 10);
    expect(taken).toMatchObject([{ locator: 'orphan1', size: 100 }]);
  });

  it('keeps what is younger than the age, by the clock of the store', async () => {
    const clock = jest.spyOn(wallClock, 'now').mockReturnValue(0);
    await subject.store.put('orphan1', inChunks(patternBytes(100), 50));
    await subject.client.startUpload(`${subject.bodies.folder}open1`);
    expect(await sweepOlderThan(ORPHAN_AGE)).toEqual({ bodies: 1, disowned: 0, uploads: 0 });
    expect(await subject.inventory.isUncommitted('orphan1')).toBe(true);
    expect(await new S3Inventory(subject.bodies, 0).isUncommitted('orphan1')).toBe(false);
    clock.mockRestore();
  });

  it('ends multipart uploads that never ended', async () => {
    await subject.client.startUpload(`${subject.bodies.folder}open1`);
    expect(await subject.inventory.countUncommitted()).toBe(1);
    expect(await sweepOlderThan(0)).toMatchObject({ uploads: 1 });
    expect(await subject.inventory.countUncommitted()).toBe(0);
  });
});

describe('the inventory of a store', () => {
  it('copies a body into a data folder, once', async () => {
    const bytes = patternBytes(2_000_000);
    await subject.store.put('a1', inChunks(bytes, 65_536));
    const folder = await mkdtemp(join(tmpdir(), 'ota-copy-'));
    expect(await subject.inventory.copyTo(folder, 'a1')).toBe(true);
    expect(await subject.inventory.copyTo(folder, 'a1')).toBe(true);
    expect(await subject.inventory.copyTo(folder, 'none')).toBe(false);
    expect((await readFile(objectPath(folder, 'a1'))).equals(bytes)).toBe(true);
    await rm(folder, { recursive: true });
  });
});

describe('a bucket', () => {
  it('gets a rule that ends unfinished uploads, and keeps the rules that it has', async () => {
    // The start of the store has asked for a rule; that of the first test is the only one.
    expect(['present', 'others']).toContain(
      await subject.client.expireUploads(subject.bodies.folder),
    );
  });

  it('refuses bytes that are not those of their MD5', async () => {
    const content = { size: 3, md5: '0'.repeat(32), open: () => Buffer.from('one') };
    await expect(subject.client.put(subject.bodies.keyOf('a1'), content)).rejects.toThrow();
    expect(await subject.store.stat('a1')).toBeUndefined();
  });
});
