import promises, { mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { Journal } from '../../../../src/object-store/disk/journal.ts';
import { readJournals } from '../../../../src/object-store/disk/journal-files.ts';
import { objectPath } from '../../../../src/object-store/disk/layout.ts';
import { scanJournal } from '../../../../src/object-store/disk/scan-journal.ts';
import { eventually, temporaryFolder } from '../../../support/built-gateway.ts';
import { md5Hex } from '../../../support/bytes.ts';
import { fileHandlePrototype } from '../../../support/file-handles.ts';

function bytesOf(chunks: readonly NodeJS.ArrayBufferView[]): number {
  return chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

describe('a journal', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let journal: Journal;

  beforeEach(async () => {
    folder = await temporaryFolder();
    journal = new Journal(folder.path, { bytes: 1000, bodies: 3, full: 2 });
  });

  afterEach(async () => {
    await journal.close();
    await folder.remove();
  });

  const files = (): Promise<string[]> => readdir(join(folder.path, 'journal'));

  async function put(locator: string, size = 10): Promise<void> {
    const bytes = Buffer.alloc(size, locator);
    const body = { chunks: [bytes], size, md5: md5Hex(bytes) };
    await (
      await journal.append(locator, body)
    ).flushed;
    const path = objectPath(folder.path, locator);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }

  it.each([
    ['bodies', 10],
    ['bytes', 1000],
  ])('is followed by another when it is full of %s', async (_of, size) => {
    for (const locator of ['a1', 'a2', 'a3', 'a4']) await put(locator, size);
    expect((await files()).length).toBeGreaterThan(1);
    expect(journal.uncommitted()).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  it('goes when it is full and the last of its bodies is committed or gone', async () => {
    for (const locator of ['a1', 'a2', 'a3', 'a4']) await put(locator);
    journal.commit('a1');
    journal.commit('a2');
    expect(await files()).toEqual(['1', '2']);
    await journal.forget('a3');
    await eventually(async () => (await files()).join() === '2');
    expect(journal.uncommitted()).toEqual(['a4']);
  });

  it('lets new bodies wait while too many full ones are being flushed', async () => {
    let count = 0;
    for (let n = 0; n < 30; n += 1) {
      await put(`b${String(n).padStart(2, '0')}`);
      journal.commit(`b${String(n).padStart(2, '0')}`);
      count = Math.max(count, (await files()).length);
    }
    expect(count).toBeLessThanOrEqual(4);
  });

  it('goes although a body of it was deleted', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    await rm(objectPath(folder.path, 'a2'));
    for (const locator of ['a1', 'a2', 'a3']) journal.commit(locator);
    await eventually(async () => !(await files()).includes('1'));
  });

  it('stays, for the next start, when the file of a body cannot be flushed', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    const path = objectPath(folder.path, 'a2');
    await rm(dirname(path), { recursive: true });
    await writeFile(dirname(path), 'no folder');
    for (const locator of ['a1', 'a2', 'a3']) journal.commit(locator);
    await journal.close();
    expect(await files()).toEqual(['1']);
  });

  it('acknowledges nothing that stands behind a flush that has failed', async () => {
    await put('a1');
    const flushing = jest.spyOn(await fileHandlePrototype(), 'datasync');
    flushing.mockImplementationOnce(async () => {
      // It is written while the flush is under way, and would be flushed with the next one.
      const late = put('a3');
      late.catch(() => undefined);
      await eventually(() => journal.uncommitted().includes('a3'));
      lateOnes.push(late);
      throw new Error('EIO: i/o error, fdatasync');
    });
    const lateOnes: Promise<void>[] = [];
    await expect(put('a2')).rejects.toThrow('EIO');
    flushing.mockRestore();
    await expect(lateOnes[0]).rejects.toThrow('an earlier flush of the journal has failed');
    await put('a4');
    expect(await files()).toEqual(['1', '2']);
    expect(journal.uncommitted()).toEqual(['a1', 'a4']);
  });

  it('has no file and no write that is larger than allowed, however many bodies come at once', async () => {
    const most = { bytes: 10_000, writeBytes: 4000, bodies: 1000, full: 100 };
    const limited = new Journal(folder.path, most);
    const writing = jest.spyOn(await fileHandlePrototype(), 'writev');
    const count = 100;
    await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const bytes = Buffer.alloc(500, n);
        const body = { chunks: [bytes], size: bytes.length, md5: md5Hex(bytes) };
        await (
          await limited.append(`b${String(n)}`, body)
        ).flushed;
      }),
    );
    const writes = writing.mock.calls.map(([chunks]) => bytesOf(chunks));
    writing.mockRestore();
    expect(Math.max(...writes)).toBeLessThanOrEqual(most.writeBytes);
    // They still go together: one write each would be as many as there are bodies.
    expect(writes.length).toBeLessThan(count / 2);
    const names = await files();
    for (const name of names) {
      expect((await stat(join(folder.path, 'journal', name))).size).toBeLessThanOrEqual(most.bytes);
    }
    const paths = names.map((name) => join(folder.path, 'journal', name));
    expect((await readJournals(paths)).size).toBe(count);
    await limited.close();
  });

  it('goes when what kept its files from being flushed has passed', async () => {
    const warnings: string[] = [];
    const logger = {
      ...silentLogger,
      warn: (_: object, message: string) => warnings.push(message),
    };
    journal = new Journal(folder.path, { bytes: 1000, bodies: 3, full: 2 }, logger);
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    const opening = jest.spyOn(promises, 'open');
    opening.mockRejectedValue(
      Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' }),
    );
    for (const locator of ['a1', 'a2', 'a3']) journal.commit(locator);
    await eventually(() => warnings.length > 0);
    opening.mockRestore();
    expect(await files()).toEqual(['1']);
    journal.retry();
    await eventually(async () => (await files()).length === 0);
    expect(warnings).toEqual(['a journal could not be removed; it is tried again later']);
  });

  it('goes with a clean end although its files could not be flushed before', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    const opening = jest.spyOn(promises, 'open');
    opening.mockRejectedValue(Object.assign(new Error('ENFILE'), { code: 'ENFILE' }));
    for (const locator of ['a1', 'a2', 'a3']) journal.commit(locator);
    await eventually(() => opening.mock.calls.length > 0);
    opening.mockRestore();
    await journal.close();
    expect(await files()).toEqual([]);
  });

  it('stays after a flush of a body has failed, whatever a later one says', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    const flushing = jest.spyOn(await fileHandlePrototype(), 'datasync');
    flushing.mockRejectedValueOnce(new Error('EIO: i/o error, fdatasync'));
    for (const locator of ['a1', 'a2', 'a3']) journal.commit(locator);
    await eventually(() => flushing.mock.calls.length > 0);
    flushing.mockRestore();
    journal.retry();
    await journal.close();
    expect(await files()).toEqual(['1']);
  });

  it('notes what was committed and what is gone', async () => {
    const path = join(folder.path, 'journal', '1');
    const notes = async (): Promise<{ committed: string[]; gone: string[] }> => {
      const found: { committed: string[]; gone: string[] } = { committed: [], gone: [] };
      await using file = await open(path);
      for await (const item of scanJournal(file)) {
        if (item.kind !== 'note') continue;
        found.committed.push(...item.committed);
        found.gone.push(...item.gone);
      }
      return found;
    };
    await put('a1');
    journal.commit('a1');
    await put('a2');
    expect(await notes()).toEqual({ committed: ['a1'], gone: [] });
    journal.commit('a2');
    // Without another body.
    await eventually(async () => (await notes()).committed.length === 2);
    await journal.forget('a1');
    expect(await notes()).toEqual({ committed: ['a1', 'a2'], gone: ['a1'] });
  });

  it('tells a body that it does not hold from one that it does', async () => {
    await put('a1');
    expect([journal.commit('a1'), journal.commit('a2')]).toEqual([true, false]);
  });
});
