import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskObjectStore } from '../../src/object-store/disk-object-store.ts';
import { ThreadHasher } from '../../src/object-store/thread-hasher.ts';
import { inChunks } from '../support/bytes.ts';
import { describeObjectStore } from './object-store-contract.ts';
import type { ObjectStoreUnderTest } from './object-store-contract.ts';

async function openDisk(): Promise<ObjectStoreUnderTest & { folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-store-'));
  const opened: DiskObjectStore[] = [];
  const open = async (): Promise<DiskObjectStore> => {
    const store = await DiskObjectStore.open(folder, new ThreadHasher());
    opened.push(store);
    return store;
  };
  return {
    folder,
    store: await open(),
    reopen: open,
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
      await rm(folder, { recursive: true });
    },
  };
}

describeObjectStore('a folder on disk', openDisk);

describe('a folder on disk', () => {
  it('touches nothing before the first byte of a body is there', async () => {
    const { folder, store, dispose } = await openDisk();
    let staged: string[] = [];
    async function* late(): AsyncGenerator<Buffer> {
      staged = await readdir(join(folder, 'staging'));
      yield* inChunks(Buffer.from('bytes'), 5);
    }
    await store.put('a1', late());
    expect(staged).toEqual([]);
    await dispose();
  });

  it('keeps a settled body under one name', async () => {
    const { folder, store, dispose } = await openDisk();
    await store.put('a1', inChunks(Buffer.from('bytes'), 5));
    await store.settle('a1');
    expect(await readdir(join(folder, 'staging'))).toEqual([]);
    expect(await readdir(join(folder, 'objects', 'a1'))).toEqual(['a1']);
    await dispose();
  });

  it.each([
    ['what is free already', 2 ** 60, 0],
    ['what is going to be free', 1, 2 ** 60],
  ])('refuses a body by %s, before it reads any of it', async (_by, minFree, announced) => {
    const folder = await mkdtemp(join(tmpdir(), 'ota-store-'));
    const store = await DiskObjectStore.open(folder, new ThreadHasher(), minFree);
    let read = false;
    async function* bytes(): AsyncGenerator<Buffer> {
      read = true;
      yield* inChunks(Buffer.from('bytes'), 5);
    }
    await expect(store.put('a1', bytes(), announced)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(read).toBe(false);
    expect(await store.unsettled()).toEqual([]);
    await store.close();
    await rm(folder, { recursive: true });
  });
});
