import { openLedgerDatabase } from '../../../src/ledger/sqlite/database.ts';
import { SqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { SqliteMaintenance } from '../../../src/ledger/sqlite/sqlite-maintenance.ts';
import { S3Inventory } from '../../../src/object-store/s3/s3-inventory.ts';
import { STORE_LIMITS } from '../../../src/object-store/s3/limits.ts';
import { StoredBodies } from '../../../src/object-store/s3/stored-bodies.ts';
import { check } from '../../../src/uploads/maintenance/check.ts';
import type { CheckReport, Finding } from '../../../src/uploads/maintenance/check.ts';
import type { StoreClient } from '../../../src/object-store/s3/store-client.ts';
import { StoreUnavailable } from '../../../src/uploads/unavailable.ts';
import { md5Hex } from '../../support/bytes.ts';
import { MemoryBucket } from '../object-store/s3/memory-client.ts';
import { createCrc64Engine } from '../../../src/object-store/hashing/crc64.ts';

const HOUR = 3_600_000;
const LIMITS = { ...STORE_LIMITS, retry: { tries: 2, delay: 1 } };
const crc64 = createCrc64Engine();

let bucket: MemoryBucket;
let client: StoreClient;
let ledger: SqliteLedger;
let maintenance: SqliteMaintenance;
let requests: string[];

beforeEach(() => {
  bucket = new MemoryBucket();
  client = bucket.connect();
  const database = openLedgerDatabase(undefined);
  ledger = new SqliteLedger(database);
  maintenance = new SqliteMaintenance(database);
  requests = [];
  bucket.before = (operation) => requests.push(operation);
});

afterEach(() => ledger.close());

const bytesOf = (locator: string): Buffer => Buffer.from(`bytes of ${locator}`);

async function put(locator: string, bytes = bytesOf(locator)): Promise<void> {
  await client.put(`p/bodies/${locator}`, { size: bytes.length, open: () => bytes });
}

async function record(locator: string, bytes = bytesOf(locator)): Promise<void> {
  const digest = crc64.start();
  digest.update(bytes);
  const digests = { md5: md5Hex(bytes), crc64: digest.digest() };
  const object = { locator, size: bytes.length, ...digests, storedAt: 1, headers: {} };
  await ledger.recordStored({ key: `k-${locator}`, object, forbidOverwrite: false });
}

/** Changes an object as a broken store would: nothing but its bytes tells. */
function rot(locator: string): void {
  const key = `p/bodies/${locator}`;
  const found = bucket.objects.get(key);
  if (found === undefined) throw new Error(`there is no ${key}`);
  bucket.objects.set(key, { ...found, bytes: Buffer.from(found.bytes).fill('x') });
}

interface Checked extends CheckReport {
  readonly found: readonly Finding[];
  readonly progress: readonly (readonly [number, number])[];
}

async function compare(
  options: { deep?: boolean; repair?: boolean; age?: number } = {},
): Promise<Checked> {
  const { age = HOUR, deep = false, repair = false } = options;
  const bodies = new StoredBodies({ client, name: 'the store', prefix: 'p/', limits: LIMITS });
  const found: Finding[] = [];
  const progress: (readonly [number, number])[] = [];
  requests.length = 0;
  const report = await check(
    {
      ...{ ledger, maintenance, inventory: new S3Inventory(bodies, age) },
      ...{ clock: { now: () => 9 }, recoverable: new Set<string>() },
      giveUp: ({ path }) => Promise.resolve({ done: `gave up ${path}` }),
    },
    {
      ...{ deep, repair },
      onFinding: (finding) => found.push(finding),
      onProgress: (done, total) => progress.push([done, total]),
    },
  );
  return { ...report, found, progress };
}

const textsOf = ({ found }: Checked): string[] => found.map(({ kind, text }) => `${kind}: ${text}`);

describe('the check of a store that lists its bodies in order', () => {
  it('finds nothing in an undamaged one, by its lists alone', async () => {
    for (let n = 1000; n < 1700; n += 1) {
      await put(`a${String(n)}`);
      await record(`a${String(n)}`);
    }
    const checked = await compare();
    const bytes = 700 * bytesOf('a1000').length;
    expect(checked).toMatchObject({ uploads: 700, bytes, purging: 0, findings: 0, left: 0 });
    expect(checked.progress.at(0)).toEqual([0, bytes]);
    expect(checked.progress.at(-1)).toEqual([bytes, bytes]);
    // Pages of 300.
    expect(requests).toEqual(['list', 'list', 'list', 'listUploads']);
  });

  it('finds missing, shortened and changed bodies, and those that the ledger does not know', async () => {
    for (const n of [1, 2, 3, 4, 5, 6]) await record(`a${String(n)}`);
    for (const n of [2, 6]) await put(`a${String(n)}`);
    await put('a3', Buffer.from('short'));
    await put('a4', Buffer.from('bytes of aX'));
    for (const locator of ['a0', 'a45', 'a9']) await put(locator);
    await put('notes.txt');
    expect(textsOf(await compare({ age: 0 }))).toEqual([
      'bodyWithoutRow: p/bodies/a0 is not in the ledger',
      'bytesMissing: k-a1 (stored, a1) has no bytes',
      'bytesDiffer: k-a3 (stored, a3) has 5 bytes instead of 11',
      `bytesDiffer: k-a4 (stored, a4) has the MD5 ${md5Hex(Buffer.from('bytes of aX'))} instead of ${md5Hex(bytesOf('a4'))}`,
      'bodyWithoutRow: p/bodies/a45 is not in the ledger',
      'bytesMissing: k-a5 (stored, a5) has no bytes',
      'bodyWithoutRow: p/bodies/a9 is not in the ledger',
      'strayFile: p/bodies/notes.txt is not a body',
    ]);
  });

  it('counts a young body without a row, and an open multipart upload, as unfinished', async () => {
    await put('a1');
    await client.startUpload('p/bodies/a2');
    expect(await compare()).toMatchObject({ findings: 0, uncommitted: 2 });
    expect(await compare({ age: 0 })).toMatchObject({ findings: 1, uncommitted: 1 });
  });

  it('repairs what can be repaired', async () => {
    await record('a1');
    await put('a2');
    const { found, left } = await compare({ age: 0, repair: true });
    expect(found.map(({ repair }) => repair)).toEqual([
      'removed from the ledger',
      'gave up p/bodies/a2',
    ]);
    expect(left).toBe(0);
    expect(await ledger.findUpload('k-a1')).toBeUndefined();
  });

  it('reports neither bodies that come after the list nor bodies that go', async () => {
    for (const n of [1, 2, 3]) {
      await put(`a${String(n)}`);
      await record(`a${String(n)}`);
    }
    // Bodies of the list: a1, a2, a3. Afterwards a2 is replaced by a4, a3 is purged, and a5 comes in.
    const listBodies = ledger.listBodies.bind(ledger);
    const list = jest.spyOn(ledger, 'listBodies');
    // The first pass counts.
    list.mockImplementationOnce(listBodies).mockImplementationOnce(async (...page) => {
      await put('a4');
      await ledger.deleteUpload('k-a2', 'a2', 9);
      await record('a4');
      await put('a5');
      await ledger.deleteUpload('k-a3', 'a3', 9);
      const rows = await listBodies(...page);
      const due = await ledger.takePurging(9, 99, 10);
      for (const { locator } of due) await client.delete(`p/bodies/${locator}`);
      await ledger.confirmPurged(
        due.map(({ sequence }) => sequence),
        9,
      );
      return rows;
    });
    expect(textsOf(await compare())).toEqual([]);
  });

  it('reports no body whose upload is purged while it is looked at again', async () => {
    await record('a1');
    await put('a1', Buffer.from('other'));
    const stat = jest.spyOn(S3Inventory.prototype, 'stat').mockImplementation(async () => {
      await ledger.deleteUpload('k-a1', 'a1', 9);
      return { size: 5 };
    });
    expect(textsOf(await compare())).toEqual([]);
    stat.mockRestore();
  });

  it('finds changed bytes that no list shows when it reads each body', async () => {
    for (const locator of ['a1', 'a2']) {
      await put(locator);
      await record(locator);
    }
    rot('a2');
    expect(textsOf(await compare())).toEqual([]);
    expect(textsOf(await compare({ deep: true }))).toEqual([
      expect.stringMatching(/^bytesDiffer: k-a2 \(stored, a2\) has the MD5 \w{32} instead of/),
    ]);
  });

  it('reads one body of a store that calls something else the MD5, and believes it no longer', async () => {
    bucket.etagOf = () => '0'.repeat(32);
    for (const locator of ['a1', 'a2', 'a3']) {
      await put(locator);
      await record(locator);
    }
    expect(textsOf(await compare())).toEqual([]);
    expect(requests).toEqual(['list', 'get', 'listUploads']);
  });

  it('ends when the store does not answer, instead of calling its bodies damaged', async () => {
    await record('a1');
    bucket.before = (operation) => {
      if (operation === 'head') throw Object.assign(new Error('no'), { name: 'SlowDown' });
    };
    await expect(compare()).rejects.toThrow(StoreUnavailable);
  });
});
