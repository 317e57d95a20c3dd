import promises, {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openLedgerDatabase } from '../../../../src/ledger/sqlite/database.ts';
import { SqliteLedger } from '../../../../src/ledger/sqlite/sqlite-ledger.ts';
import type { Logger } from '../../../../src/lib/logger.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { DiskObjectStore } from '../../../../src/object-store/disk/disk-object-store.ts';
import { ThreadHasher } from '../../../../src/object-store/hashing/thread-hasher.ts';
import type { ListedUpload, ObjectStore, UploadLedger } from '../../../../src/uploads/ports.ts';
import { reconcile } from '../../../../src/uploads/reconcile.ts';
import { inChunks, patternBytes } from '../../../support/bytes.ts';
import { openDisk } from '../../../support/disk-store.ts';
import { fileHandlePrototype } from '../../../support/file-handles.ts';

const LARGE = patternBytes(1024 * 1024 + 1);

describe('a folder on disk', () => {
  it('creates no file before the first byte of a body has arrived', async () => {
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

  it('keeps a committed body under one name', async () => {
    const { folder, store, dispose } = await openDisk();
    await store.put('a1', inChunks(LARGE, 65_536));
    await store.commit('a1');
    expect(await readdir(join(folder, 'staging'))).toEqual([]);
    expect(await readdir(join(folder, 'objects', 'a1'))).toEqual(['a1']);
    await dispose();
  });

  it.each([
    ['the free space', 2 ** 60, 0],
    ['the free space after the body', 1, 2 ** 60],
  ])('rejects a body because of %s, before it reads any byte', async (_by, minFree, announced) => {
    const folder = await mkdtemp(join(tmpdir(), 'ota-store-'));
    const store = await DiskObjectStore.open(folder, new ThreadHasher(), minFree);
    let read = false;
    async function* bytes(): AsyncGenerator<Buffer> {
      read = true;
      yield* inChunks(Buffer.from('bytes'), 5);
    }
    await expect(store.put('a1', bytes(), announced)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(read).toBe(false);
    expect(await store.uncommitted()).toEqual([]);
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

  it('restores files that were lost in a power cut before their flush', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    for (const locator of ['a1', 'a2']) await disk.store.commit(locator);
    await truncate(join(disk.folder, 'objects', 'a1', 'a1'), 3);
    await rm(join(disk.folder, 'objects', 'a2'), { recursive: true });
    const store = await disk.reopen();
    for (const locator of ['a1', 'a2', 'a3']) {
      expect(await textOf(store, locator)).toBe(`the bytes of ${locator}`);
    }
    // Only the ledger knows whether they were committed.
    expect((await store.uncommitted()).sort()).toEqual(['a1', 'a2', 'a3']);
    expect(await readdir(journal)).toEqual([]);
  });

  it.each([1, 30, 75])('ignores a record that a crash has cut off by %d bytes', async (cut) => {
    await put('a1');
    await put('a2');
    const path = join(journal, '1');
    const { size } = await stat(path);
    await rm(join(disk.folder, 'objects', 'a2'), { recursive: true });
    await truncate(path, size - cut);
    const store = await disk.reopen();
    expect(await store.uncommitted()).toEqual(['a1']);
    expect(await textOf(store, 'a1')).toBe('the bytes of a1');
    expect(await store.stat('a2')).toBeUndefined();
  });

  it('ignores a record whose bytes did not reach the disk', async () => {
    await put('a1');
    await put('a2');
    const path = join(journal, '1');
    const content = await readFile(path);
    await writeFile(path, content.fill(0, content.lastIndexOf('the bytes')));
    const store = await disk.reopen();
    expect(await store.uncommitted()).toEqual(['a1']);
  });

  it('is removed at a close after its bodies are committed', async () => {
    await put('a1');
    await disk.store.commit('a1');
    expect(await readdir(journal)).toEqual(['1']);
    await disk.store.close();
    expect(await readdir(journal)).toEqual([]);
    expect(await textOf(disk.store, 'a1')).toBe('the bytes of a1');
  });

  it('stays after a close while a body is uncommitted', async () => {
    await put('a1');
    await disk.store.close();
    expect(await (await disk.reopen()).uncommitted()).toEqual(['a1']);
  });

  it('begins a new file after a failed write, and keeps the old one', async () => {
    await put('a1');
    const writing = jest.spyOn(await fileHandlePrototype(), 'writev');
    writing.mockRejectedValueOnce(new Error('EIO: i/o error, write'));
    await expect(put('a2')).rejects.toThrow('EIO');
    writing.mockRestore();
    await put('a3');
    expect((await readdir(journal)).sort()).toEqual(['1', '2']);
    const store = await disk.reopen();
    expect((await store.uncommitted()).sort()).toEqual(['a1', 'a3']);
  });

  it('uses another number when another process has taken the first', async () => {
    const other = await disk.reopen();
    await Promise.all([put('a1'), other.put('a2', inChunks(Buffer.from('two'), 1))]);
    expect((await readdir(journal)).sort()).toEqual(['1', '2']);
  });
});

/** A logger that keeps warnings and errors. */
function recordingLogger(): { logger: Logger; lines: { message: string; details: object }[] } {
  const lines: { message: string; details: object }[] = [];
  const add = (details: object, message: string): unknown => lines.push({ message, details });
  return { logger: { ...silentLogger, warn: add, error: add }, lines };
}

describe('a damaged journal', () => {
  let disk: Awaited<ReturnType<typeof openDisk>>;
  let journal: string;

  beforeEach(async () => {
    disk = await openDisk();
    journal = join(disk.folder, 'journal', '1');
    for (const locator of ['a1', 'a2', 'a3']) {
      await disk.store.put(locator, inChunks(Buffer.from(`the bytes of ${locator}`), 5));
    }
    const content = await readFile(journal);
    const at = content.indexOf('the bytes of a2');
    content[at] = (content[at] ?? 0) ^ 1;
    await writeFile(journal, content);
  });

  afterEach(() => disk.dispose());

  const lost = (): Promise<string[]> => readdir(join(disk.folder, 'lost'));

  it('has its complete bodies recovered, is kept, and is logged', async () => {
    const damaged = await readFile(journal);
    const { logger, lines } = recordingLogger();
    const store = await DiskObjectStore.open(disk.folder, new ThreadHasher(), 0, logger);
    expect((await store.uncommitted()).sort()).toEqual(['a1', 'a3']);
    for (const locator of ['a1', 'a3']) {
      const body = await store.open(locator);
      expect(body && (await text(body))).toBe(`the bytes of ${locator}`);
    }
    const kept = join(disk.folder, 'lost', 'journal-1');
    expect(await lost()).toEqual(['journal-1']);
    expect((await readFile(kept)).equals(damaged)).toBe(true);
    expect(lines).toMatchObject([
      { message: expect.stringContaining('is damaged'), details: { journal, kept } },
    ]);
    expect(lines[0]?.details).toHaveProperty('bytes', expect.any(Number));
    await store.close();
  });

  it('is kept once, and all bodies without a row are set aside, even after killed starts', async () => {
    for (let start = 0; start < 3; start += 1) {
      const killed = await DiskObjectStore.open(disk.folder, new ThreadHasher());
      expect(killed.recovery.foundDamage).toBe(true);
      await killed.close();
    }
    expect(await lost()).toEqual(['journal-1']);
    const store = await DiskObjectStore.open(disk.folder, new ThreadHasher());
    const ledger = emptyLedger();
    expect(await reconcile({ ledger, store })).toEqual({ completed: 0, removed: 0, setAside: 2 });
    expect((await lost()).sort()).toEqual(['a1', 'a3', 'journal-1']);
    expect(await readFile(join(disk.folder, 'lost', 'a3'), 'utf8')).toBe('the bytes of a3');
    expect(await store.uncommitted()).toEqual([]);
    expect(await store.stat('a3')).toBeUndefined();
    await store.close();
    const next = await DiskObjectStore.open(disk.folder, new ThreadHasher());
    expect(next.recovery.foundDamage).toBe(false);
    expect(await readdir(join(disk.folder, 'recovered'))).toEqual([]);
    await next.close();
  });

  it('does not replace another journal that is kept', async () => {
    await mkdir(join(disk.folder, 'lost'));
    await writeFile(join(disk.folder, 'lost', 'journal-1'), 'another');
    await (await disk.reopen()).close();
    expect((await lost()).sort()).toEqual(['journal-1', 'journal-1.2']);
    expect(await readFile(join(disk.folder, 'lost', 'journal-1'), 'utf8')).toBe('another');
  });
});

describe('a committed body without a row', () => {
  let disk: Awaited<ReturnType<typeof openDisk>>;

  beforeEach(async () => {
    disk = await openDisk();
    await disk.store.put('a1', inChunks(Buffer.from('one'), 1));
    await disk.store.commit('a1');
    // The commit of a1 is noted together with this body, which is never acknowledged.
    await disk.store.put('a2', inChunks(Buffer.from('two'), 1));
  });

  afterEach(() => disk.dispose());

  it('is set aside with all other bodies without a row, and logged', async () => {
    const { logger, lines } = recordingLogger();
    // A start that is killed before it has reconciled them forgets nothing.
    await (await disk.reopen()).close();
    const store = await DiskObjectStore.open(disk.folder, new ThreadHasher(), 0, logger);
    const report = await reconcile({ ledger: emptyLedger(), store });
    expect(report).toEqual({ completed: 0, removed: 0, setAside: 2 });
    expect((await readdir(join(disk.folder, 'lost'))).sort()).toEqual(['a1', 'a2']);
    expect(lines.map(({ message }) => message)).toEqual(
      Array<string>(2).fill('set aside a body that is not in the ledger'),
    );
    expect(await store.uncommitted()).toEqual([]);
    await store.close();
  });

  it('is removed if the store has noted its deletion', async () => {
    await disk.store.delete('a1');
    const store = await disk.reopen();
    const report = await reconcile({ ledger: emptyLedger(), store });
    expect(report).toEqual({ completed: 0, removed: 1 });
    expect(await readdir(disk.folder)).not.toContain('lost');
  });

  it('is removed if the ledger has its tombstone, and a power cut has lost the note of the deletion', async () => {
    const store = await disk.reopen();
    const report = await reconcile({ ledger: emptyLedger([purged('a1')]), store });
    expect(report).toEqual({ completed: 0, removed: 2 });
    expect(await readdir(disk.folder)).not.toContain('lost');
  });
});

function emptyLedger(uploads: readonly ListedUpload[] = []): UploadLedger {
  const ledger = new SqliteLedger(openLedgerDatabase(undefined));
  return Object.assign(ledger, { listUploads: () => Promise.resolve(uploads) });
}

function purged(locator: string): ListedUpload {
  const object = { locator, size: 3, md5: '', crc64: '', storedAt: 0, headers: {} };
  const purge = { reason: 'deleted', purgingSince: 0, purgedAt: 0 } as const;
  return { sequence: 1, upload: { key: 'k', state: 'purged', object, purge } };
}

describe('a start of the disk store', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ota-store-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  it('does not change foreign files, and logs them once', async () => {
    const foreign = ['journal/lost+found', 'staging/lost+found', 'objects/lost+found'];
    for (const name of foreign) await mkdir(join(folder, name), { recursive: true });
    const notes = ['journal/README', 'journal/7.bak', 'staging/notes.txt', 'objects/.DS_Store'];
    for (const name of notes) await writeFile(join(folder, name), 'hello');
    for (const name of ['journal/7', 'staging/a1']) await mkdir(join(folder, name));
    const { logger, lines } = recordingLogger();
    const store = await DiskObjectStore.open(folder, new ThreadHasher(), 0, logger);
    expect(await store.uncommitted()).toEqual([]);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.details).toMatchObject({ count: 9 });
    for (const name of notes) expect(await readFile(join(folder, name), 'utf8')).toBe('hello');
    await store.close();
  });

  it('sets aside a file that has the name of a folder for bodies', async () => {
    await mkdir(join(folder, 'objects'));
    await writeFile(join(folder, 'objects', 'a1'), 'hello');
    const store = await DiskObjectStore.open(folder, new ThreadHasher());
    await store.put('0a1', inChunks(Buffer.from('bytes'), 5));
    expect(await readFile(join(folder, 'lost', 'objects-a1'), 'utf8')).toBe('hello');
    await store.close();
  });

  it('flushes each folder once, even when it restores many bodies', async () => {
    const before = await DiskObjectStore.open(folder, new ThreadHasher());
    const locators = Array.from({ length: 40 }, (_, n) => `${String(n)}b${String(n % 2)}`);
    for (const locator of locators) await before.put(locator, inChunks(Buffer.from(locator), 9));
    const flushing = jest.spyOn(await fileHandlePrototype(), 'sync');
    const store = await DiskObjectStore.open(folder, new ThreadHasher());
    // Two folders of bodies, and their parents.
    expect(flushing.mock.calls.length).toBeLessThan(10);
    flushing.mockRestore();
    expect(await store.uncommitted()).toHaveLength(40);
    await Promise.all([store.close(), before.close()]);
  });

  it('continues where an earlier start was killed', async () => {
    const before = await DiskObjectStore.open(folder, new ThreadHasher());
    const locators = Array.from({ length: 12 }, (_, n) => `body${String(n).padStart(2, '0')}`);
    for (const locator of locators) await before.put(locator, inChunks(Buffer.from(locator), 9));
    const { link } = promises;
    const linking = jest.spyOn(promises, 'link');
    let links = 0;
    linking.mockImplementation(async (from, to) => {
      links += 1;
      if (links > 8) throw new Error('killed');
      await link(from, to);
    });
    await expect(DiskObjectStore.open(folder, new ThreadHasher())).rejects.toThrow('killed');
    linking.mockImplementation(link);
    const flushing = jest.spyOn(await fileHandlePrototype(), 'datasync');
    const store = await DiskObjectStore.open(folder, new ThreadHasher());
    expect(flushing).toHaveBeenCalledTimes(4);
    for (const spy of [flushing, linking]) spy.mockRestore();
    expect((await store.uncommitted()).sort()).toEqual(locators);
    for (const locator of locators) {
      const body = await store.open(locator);
      expect(body && (await text(body))).toBe(locator);
    }
    await Promise.all([store.close(), before.close()]);
  });
});
