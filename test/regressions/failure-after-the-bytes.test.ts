import { createMemoryRecords } from '../../src/gateway.ts';
import { DiskObjectStore } from '../../src/object-store/disk/disk-object-store.ts';
import { ThreadHasher } from '../../src/object-store/hashing/thread-hasher.ts';
import { startTestGateway } from '../../src/testing/index.ts';
import type { ObjectStore } from '../../src/uploads/ports.ts';
import { bodiesOnDisk, temporaryFolder } from '../support/built-gateway.ts';
import { patternBytes } from '../support/bytes.ts';

// When something failed after the bytes were durable, a body stayed on the disk until the next start, or a recorded
// upload was answered with an error.

const BYTES = patternBytes(1000);

async function* bytes(): AsyncGenerator<Buffer> {
  yield await Promise.resolve(BYTES);
}

async function openFolder(): Promise<{
  store: ObjectStore;
  path: string;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const folder = await temporaryFolder();
  const store = await DiskObjectStore.open(folder.path, new ThreadHasher());
  return { store, path: folder.path, [Symbol.asyncDispose]: () => folder.remove() };
}

it('removes the body of an upload that the ledger could not record, in the next purge', async () => {
  await using folder = await openFolder();
  const records = createMemoryRecords();
  await using gateway = await startTestGateway({ parts: { records, store: folder.store } });
  jest.spyOn(records.ledger, 'recordStored').mockRejectedValueOnce(new Error('disk I/O error'));
  await expect(gateway.uploads.deposit({ bytes: bytes() })).rejects.toThrow('disk I/O error');
  expect(await folder.store.uncommitted()).toHaveLength(1);
  expect(await bodiesOnDisk(folder.path)).toMatchObject({ objects: { length: 1 } });
  await gateway.purgeUnclaimed();
  expect(await folder.store.uncommitted()).toEqual([]);
  expect(await bodiesOnDisk(folder.path)).toEqual({ objects: [], staging: [] });
});

it('acknowledges a recorded upload even if the cleanup after it fails', async () => {
  await using folder = await openFolder();
  await using gateway = await startTestGateway({ parts: { store: folder.store } });
  jest.spyOn(folder.store, 'commit').mockRejectedValueOnce(new Error('EIO'));
  await expect(gateway.uploads.deposit({ bytes: bytes() })).resolves.toHaveProperty('key');
  expect(await folder.store.uncommitted()).toHaveLength(1);
  await gateway.purgeUnclaimed();
  expect(await folder.store.uncommitted()).toEqual([]);
  expect(await bodiesOnDisk(folder.path)).toMatchObject({ objects: { length: 1 }, staging: [] });
});
