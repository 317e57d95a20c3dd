import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../../../../src/lib/logger.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { ThreadHasher } from '../../../../src/object-store/hashing/thread-hasher.ts';
import { STORE_LIMITS } from '../../../../src/object-store/s3/limits.ts';
import { S3Inventory } from '../../../../src/object-store/s3/s3-inventory.ts';
import { S3ObjectStore } from '../../../../src/object-store/s3/s3-object-store.ts';
import { StoredBodies } from '../../../../src/object-store/s3/stored-bodies.ts';
import { sweep } from '../../../../src/object-store/s3/sweep.ts';
import { StoreUnavailable } from '../../../../src/uploads/unavailable.ts';
import { describeBodyInventory } from '../../../contract/body-inventory-contract.ts';
import { describeObjectStore } from '../../../contract/object-store-contract.ts';
import type { ObjectStoreUnderTest } from '../../../contract/object-store-contract.ts';
import { inChunks, patternBytes } from '../../../support/bytes.ts';
import { MemoryBucket } from './memory-client.ts';

const HOUR = 3_600_000;
const MIB = 1024 * 1024;
const LIMITS = { ...STORE_LIMITS, retry: { tries: 3, delay: 1 }, requests: 2, requestPatience: 50 };

interface MemoryStore extends ObjectStoreUnderTest {
  readonly store: S3ObjectStore;
  readonly bucket: MemoryBucket;
  readonly bodies: StoredBodies;
  readonly folder: string;
  readonly lines: string[];
  reopen(): Promise<S3ObjectStore>;
}

async function openMemoryStore(): Promise<MemoryStore> {
  const bucket = new MemoryBucket();
  const folders: string[] = [];
  const opened: S3ObjectStore[] = [];
  const lines: string[] = [];
  const log = (_details: object, message: string): unknown => lines.push(message);
  const logger: Logger = { ...silentLogger, info: log, warn: log, error: log };
  const open = async (): Promise<S3ObjectStore> => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ota-s3-'));
    folders.push(dataDir);
    const client = bucket.connect();
    const access = { client, name: 'the store', prefix: 'p/', limits: LIMITS, logger };
    const store = await S3ObjectStore.open({ ...access, dataDir, hasher: new ThreadHasher() });
    opened.push(store);
    return store;
  };
  const store = await open();
  const bodies = new StoredBodies({ client: bucket.connect(), name: 'the store', prefix: 'p/' });
  return {
    ...{ store, bucket, bodies, lines, folder: folders[0] ?? '' },
    inventory: new S3Inventory(bodies, HOUR),
    reopen: open,
    dispose: async () => {
      await Promise.all(opened.map((each) => each.close()));
      for (const folder of folders) await rm(folder, { recursive: true });
    },
  };
}

describeObjectStore('a store in memory behind the client of S3', openMemoryStore);
describeBodyInventory('a store in memory behind the client of S3', openMemoryStore);

describe('a store in the network', () => {
  let subject: MemoryStore;

  beforeEach(async () => {
    subject = await openMemoryStore();
  });

  afterEach(() => subject.dispose());

  const put = (locator: string, size: number): Promise<unknown> =>
    subject.store.put(locator, inChunks(patternBytes(size), 65_536), size);
  const failing = (): never => {
    throw Object.assign(new Error('no'), { name: 'SlowDown' });
  };

  it('knows the SHA-256 of each body, so that no claim reads it back', async () => {
    for (const size of [10, MIB, 20 * MIB]) {
      expect(await put(`a${String(size)}`, size)).toHaveProperty('sha256');
    }
  });

  it('keeps no file of a large body after it has it', async () => {
    await put('a1', 20 * MIB);
    expect(await readdir(join(subject.folder, 'spool'))).toEqual([]);
    expect(subject.bucket.uploads.size).toBe(0);
  });

  it('gathers no body that waits for memory once it does not answer', async () => {
    subject.bucket.before = () => {
      throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
    };
    const size = 500_000;
    const chunks = [patternBytes(size / 2), patternBytes(size / 2)];
    let gathered = 0;
    async function* body(): AsyncGenerator<Uint8Array> {
      for (const chunk of chunks) yield await Promise.resolve(chunk);
      gathered += 1;
    }
    const puts = Array.from({ length: 100 }, (_, n) =>
      subject.store.put(`a${String(n)}`, body(), size),
    );
    for (const each of await Promise.allSettled(puts)) {
      expect(each).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailable) });
    }
    expect(gathered).toBeLessThan(60);
  });

  it('reports each try that has failed, but not that an object is absent', async () => {
    const failures: unknown[] = [];
    subject.store.onFailedTry((...failure) => failures.push(failure));
    expect(await subject.store.stat('a1')).toBeUndefined();
    subject.bucket.before = failing;
    await expect(put('a1', 10)).rejects.toThrow(StoreUnavailable);
    expect(failures).toEqual([
      ['failing', true],
      ['failing', true],
      ['failing', false],
    ]);
  });

  it('leaves a body that failed with the store to the next reconcile', async () => {
    subject.bucket.before = failing;
    await expect(put('a1', 10)).rejects.toThrow(StoreUnavailable);
    expect(await subject.store.uncommitted()).toEqual(['a1']);
    expect(subject.store.failingSince()).toBeDefined();
    await expect(subject.store.requireWritable()).rejects.toThrow(StoreUnavailable);
    subject.bucket.before = () => undefined;
    await subject.store.discard('a1');
    expect(await subject.store.uncommitted()).toEqual([]);
    expect(subject.store.failingSince()).toBeUndefined();
    expect(subject.lines.filter((line) => line.includes('cannot be used'))).toHaveLength(1);
    expect(subject.lines.at(-1)).toBe('the store answers again');
    await subject.store.requireWritable();
  });

  it('ends a multipart upload whose parts fail', async () => {
    subject.bucket.before = (operation) => {
      if (operation === 'putPart') failing();
    };
    await expect(put('a1', 20 * MIB)).rejects.toThrow(StoreUnavailable);
    await subject.store.close();
    expect(subject.bucket.uploads.size).toBe(0);
    expect(subject.bucket.objects.size).toBe(0);
    expect(await subject.store.uncommitted()).toEqual([]);
  });

  it('has no doubt about a body whose last part fails, after all its bytes have come', async () => {
    let parts = 0;
    subject.bucket.before = (operation) => {
      if (operation === 'putPart' && ++parts > 2) failing();
    };
    await expect(put('a1', 20 * MIB)).rejects.toThrow(StoreUnavailable);
    expect(await subject.store.uncommitted()).toEqual([]);
  });

  it('keeps a body whose multipart upload has ended although the answer was lost', async () => {
    subject.bucket.after = (operation) => {
      if (operation !== 'completeUpload') return;
      subject.bucket.after = () => undefined;
      throw Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });
    };
    // The second try finds no such upload.
    await expect(put('a1', 20 * MIB)).resolves.toMatchObject({ size: 20 * MIB });
    expect(await subject.store.stat('a1')).toEqual({ size: 20 * MIB });
  });

  it('opens while the store does not answer', async () => {
    subject.bucket.before = failing;
    const store = await subject.reopen();
    expect(subject.lines.at(-1)).toBe('could not set up the store of the bodies');
    expect(store.backlog()).toEqual({ fullJournals: 0, digests: 0 });
  });

  it('says so when the bucket has rules that keep unfinished uploads', () => {
    expect(subject.lines[0]).toMatch(/rules of the bucket/);
  });

  it('gives up the bodies that are old, and ends old uploads', async () => {
    await put('a1', 10);
    subject.bucket.objects.set('p/bodies/not a body', { bytes: Buffer.alloc(1), writtenAt: 0 });
    await subject.bodies.client.startUpload('p/bodies/a2');
    const given: unknown[] = [];
    const disown = (bodies: readonly object[]): Promise<number> =>
      Promise.resolve(given.push(...bodies));
    const clock = { now: () => 0 };
    const deps = { bodies: subject.bodies, ledger: { disown }, clock, logger: silentLogger };
    expect(await sweep(deps, HOUR)).toEqual({ bodies: 2, disowned: 0, uploads: 0 });
    expect(await sweep(deps, 0)).toEqual({ bodies: 2, disowned: 1, uploads: 1 });
    expect(given).toEqual([{ locator: 'a1', size: 10 }]);
    subject.bucket.before = (operation) => {
      if (operation === 'listUploads') throw new Error('not here');
    };
    expect(await sweep(deps, HOUR)).toEqual({ bodies: 2, disowned: 0, uploads: 0 });
  });

  it('neither moves nor removes the bodies that others may use', async () => {
    await expect(subject.inventory.setAside('p/bodies/a1')).rejects.toThrow(/fsck --sweep/);
    await expect(subject.inventory.keepOnly(() => Promise.resolve(true))).rejects.toThrow(/purge/);
    expect(await subject.inventory.countJournals()).toBe(0);
    expect((await subject.inventory.listJournaled()).size).toBe(0);
    await subject.inventory.close();
  });
});
