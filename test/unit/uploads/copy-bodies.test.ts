import { writeFile } from 'node:fs/promises';
import { createMemoryRecords } from '../../../src/ledger/sqlite/records.ts';
import { ThreadHasher } from '../../../src/object-store/hashing/thread-hasher.ts';
import { objectPath } from '../../../src/object-store/disk/layout.ts';
import { S3BodyImporter } from '../../../src/object-store/s3/body-importer.ts';
import { S3Inventory } from '../../../src/object-store/s3/s3-inventory.ts';
import { StoredBodies } from '../../../src/object-store/s3/stored-bodies.ts';
import type { CopiedBodies } from '../../../src/uploads/maintenance/copy-bodies.ts';
import { copyBodies } from '../../../src/uploads/maintenance/copy-bodies.ts';
import type { UploadLedger } from '../../../src/uploads/ports.ts';
import { aBody } from '../../contract/upload-ledger-contract.ts';
import { inChunks, patternBytes } from '../../support/bytes.ts';
import type { OpenDisk } from '../../support/disk-store.ts';
import { openDisk } from '../../support/disk-store.ts';
import { MemoryBucket } from '../object-store/s3/memory-client.ts';

const MIB = 1024 * 1024;
const HOUR = 3_600_000;
/** An empty body, small ones, and one that is sent in parts. */
const SIZES = [0, 1, 70_000, 2 * MIB, 17 * MIB];

let disk: OpenDisk;
let ledger: UploadLedger;
let bucket: MemoryBucket;
let importer: S3BodyImporter;

beforeEach(async () => {
  disk = await openDisk();
  ({ ledger } = createMemoryRecords());
  bucket = new MemoryBucket();
  // As a store that encrypts: bodies are read back.
  bucket.etagOf = () => 'opaque';
  const bodies = new StoredBodies({ client: bucket.connect(), name: 'the store', prefix: 'p/' });
  importer = new S3BodyImporter(bodies, new S3Inventory(bodies, HOUR), new ThreadHasher());
});

afterEach(async () => {
  await importer.close();
  await ledger.close();
  await disk.dispose();
});

async function store(index: number, size: number): Promise<void> {
  const locator = `a${String(index)}`;
  const body = await disk.store.put(locator, inChunks(patternBytes(size), 65_536));
  await ledger.recordStored(aBody(`key-${String(index)}`, locator, body));
  await disk.store.commit(locator);
}

async function storeAll(): Promise<void> {
  for (const [index, size] of SIZES.entries()) await store(index, size);
}

function copy(options: { signal?: AbortSignal; onProgress?: (done: number) => void } = {}) {
  const { folder: dataDir, inventory } = disk;
  return copyBodies({ dataDir, ledger, inventory, importer, ...options });
}

function expectAllBodies(): void {
  expect([...bucket.objects.keys()].sort()).toEqual(SIZES.map((_, n) => `p/bodies/a${String(n)}`));
  for (const [index, size] of SIZES.entries()) {
    const found = bucket.objects.get(`p/bodies/a${String(index)}`);
    expect(found?.bytes.equals(patternBytes(size))).toBe(true);
  }
}

const ALL: CopiedBodies = {
  ...{
    uploads: SIZES.length,
    bytes: SIZES.reduce((sum, size) => sum + size),
    copied: SIZES.length,
  },
  ...{ missing: [], differing: [] },
};

describe('the copy of bodies into a store', () => {
  it('reads back what it has sent when the store does not say what it has', async () => {
    await storeAll();
    let reads = 0;
    bucket.after = (operation) => {
      if (operation === 'get') reads += 1;
    };
    expect(await copy()).toEqual(ALL);
    expectAllBodies();
    expect(reads).toBe(SIZES.length);
  });

  it('goes on and ends right after a failure at each of its requests', async () => {
    await storeAll();
    for (let failures = 0; ; failures += 1) {
      let requests = 0;
      bucket.before = () => {
        requests += 1;
        if (requests === failures + 1) throw new Error('cut');
      };
      const report = await copy().catch((error: unknown) => {
        expect(String(error)).toMatch('cut');
      });
      if (report === undefined) continue;
      expect(failures).toBeGreaterThan(SIZES.length);
      expect(report.copied).toBeLessThan(SIZES.length);
      expect(report).toEqual({ ...ALL, copied: report.copied });
      break;
    }
    expectAllBodies();
    expect(bucket.uploads.size).toBe(0);
  });

  it('ends when it is stopped, and the next one goes on', async () => {
    const count = 20;
    for (let index = 0; index < count; index += 1) await store(index, 10);
    const stopping = new AbortController();
    const onProgress = (done: number): void => {
      if (done > 0) stopping.abort(new Error('stopped'));
    };
    await expect(copy({ signal: stopping.signal, onProgress })).rejects.toThrow('stopped');
    const before = bucket.objects.size;
    expect(before).toBeLessThan(count);
    expect(await copy()).toMatchObject({ uploads: count, copied: count - before });
  });

  it('leaves out the bodies that the next purge deletes', async () => {
    await store(0, 10);
    await store(1, 10);
    await ledger.deleteUpload('key-0', 'a0', 9000);
    expect(await copy()).toMatchObject({ uploads: 1, copied: 1 });
    expect([...bucket.objects.keys()]).toEqual(['p/bodies/a1']);
  });

  it('fails when the store has other bytes than were sent', async () => {
    await store(0, 10);
    bucket.after = (operation) => {
      if (operation !== 'put') return;
      bucket.objects.set('p/bodies/a0', { bytes: Buffer.alloc(10), writtenAt: 0 });
    };
    await expect(copy()).rejects.toThrow('the store has not kept the body a0 as it was sent');
  });

  it('replaces no other body of the same name', async () => {
    await store(0, 10);
    const other = { bytes: Buffer.alloc(10), writtenAt: 0 };
    bucket.objects.set('p/bodies/a0', other);
    await expect(copy()).rejects.toThrow('the store has another body under the name a0');
    expect(bucket.objects.get('p/bodies/a0')).toBe(other);
  });

  it('copies bytes that were changed as they are, and says so each time', async () => {
    await store(0, 10);
    await writeFile(objectPath(disk.folder, 'a0'), 'changed');
    await ledger.recordStored(aBody('lost', 'b0'));
    const report = { uploads: 2, missing: ['lost'], differing: ['key-0'] };
    expect(await copy()).toMatchObject({ ...report, copied: 1 });
    expect(bucket.objects.get('p/bodies/a0')?.bytes.toString()).toBe('changed');
    expect(await copy()).toMatchObject({ ...report, copied: 0 });
  });
});
