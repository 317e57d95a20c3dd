import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { DiskObjectStore } from '../../src/object-store/disk-object-store.ts';
import { ThreadHasher } from '../../src/object-store/thread-hasher.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { fileHandlePrototype } from '../support/file-handles.ts';
import { inChunks, patternBytes } from '../support/bytes.ts';
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

const LARGE = patternBytes(1024 * 1024 + 1);

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
    await store.put('a1', inChunks(LARGE, 65_536));
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

describe('the journal of small bodies', () => {
  let disk: Awaited<ReturnType<typeof openDisk>>;
  let journal: string;

  beforeEach(async () => {
    disk = await openDisk();
    journal = join(disk.folder, 'journal');
  });

  afterEach(() => disk.dispose());

  const put = (locator: string): Promise<unknown> =>
    disk.store.put(locator, inChunks(Buffer.from(`the bytes of ${locator}`), 5));

  async function textOf(store: ObjectStore, locator: string): Promise<string | undefined> {
    const body = await store.open(locator);
    return body && text(body);
  }

  it('makes good what a power cut has taken of files that were not flushed yet', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    for (const locator of ['a1', 'a2']) await disk.store.settle(locator);
    await truncate(join(disk.folder, 'objects', 'a1', 'a1'), 3);
    await rm(join(disk.folder, 'objects', 'a2'), { recursive: true });
    const store = await disk.reopen();
    for (const locator of ['a1', 'a2', 'a3']) {
      expect(await textOf(store, locator)).toBe(`the bytes of ${locator}`);
    }
    // What has become of them is for the ledger to tell.
    expect((await store.unsettled()).sort()).toEqual(['a1', 'a2', 'a3']);
    expect(await readdir(journal)).toEqual([]);
  });

  it.each([1, 30, 75])('takes a record that a crash has cut by %d bytes for none', async (cut) => {
    await put('a1');
    await put('a2');
    const path = join(journal, '1');
    const { size } = await stat(path);
    await rm(join(disk.folder, 'objects', 'a2'), { recursive: true });
    await truncate(path, size - cut);
    const store = await disk.reopen();
    expect(await store.unsettled()).toEqual(['a1']);
    expect(await textOf(store, 'a1')).toBe('the bytes of a1');
    expect(await store.stat('a2')).toBeUndefined();
  });

  it('takes a record whose bytes never reached the disk for none', async () => {
    await put('a1');
    await put('a2');
    const path = join(journal, '1');
    const content = await readFile(path);
    await writeFile(path, content.fill(0, content.lastIndexOf('the bytes')));
    const store = await disk.reopen();
    expect(await store.unsettled()).toEqual(['a1']);
  });

  it('is not there any more once its bodies are durable without it', async () => {
    await put('a1');
    await disk.store.settle('a1');
    expect(await readdir(journal)).toEqual(['1']);
    await disk.store.close();
    expect(await readdir(journal)).toEqual([]);
    expect(await textOf(disk.store, 'a1')).toBe('the bytes of a1');
  });

  it('stays when it is closed while a body is unsettled', async () => {
    await put('a1');
    await disk.store.close();
    expect(await (await disk.reopen()).unsettled()).toEqual(['a1']);
  });

  it('begins anew after a failed write, and keeps what it had', async () => {
    await put('a1');
    const writing = jest.spyOn(await fileHandlePrototype(), 'writev');
    writing.mockRejectedValueOnce(new Error('EIO: i/o error, write'));
    await expect(put('a2')).rejects.toThrow('EIO');
    writing.mockRestore();
    await put('a3');
    expect((await readdir(journal)).sort()).toEqual(['1', '2']);
    const store = await disk.reopen();
    expect((await store.unsettled()).sort()).toEqual(['a1', 'a3']);
  });

  it('leaves the name to another process that has taken it', async () => {
    const other = await disk.reopen();
    await Promise.all([put('a1'), other.put('a2', inChunks(Buffer.from('two'), 1))]);
    expect((await readdir(journal)).sort()).toEqual(['1', '2']);
  });
});
