import { mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { Journal } from '../../../../src/object-store/disk/journal.ts';
import { readJournals } from '../../../../src/object-store/disk/journal-files.ts';
import { objectPath } from '../../../../src/object-store/disk/layout.ts';
import { scanJournal } from '../../../../src/object-store/disk/scan-journal.ts';
import { eventually, temporaryFolder } from '../../../support/built-gateway.ts';
import { md5Hex } from '../../../support/bytes.ts';
import { failCalls, fileHandlePrototype } from '../../../support/file-handles.ts';

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
  ])('begins a new file when one is full of %s', async (_of, size) => {
    for (const locator of ['a1', 'a2', 'a3', 'a4']) await put(locator, size);
    expect((await files()).length).toBeGreaterThan(1);
    expect(journal.uncommitted()).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  it('removes a full file when the last of its bodies is committed or deleted', async () => {
    for (const locator of ['a1', 'a2', 'a3', 'a4']) await put(locator);
    journal.commit('a1');
    journal.commit('a2');
    expect(await files()).toEqual(['1', '2']);
    await journal.forget('a3');
    await eventually(async () => (await files()).join() === '2');
    expect(journal.uncommitted()).toEqual(['a4']);
  });

  it('delays new bodies while too many full files are being flushed', async () => {
    let count = 0;
    for (let n = 0; n < 30; n += 1) {
      await put(`b${String(n).padStart(2, '0')}`);
      journal.commit(`b${String(n).padStart(2, '0')}`);
      count = Math.max(count, (await files()).length);
    }
    expect(count).toBeLessThanOrEqual(4);
  });

  it('removes a file although one of its bodies was deleted', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    await rm(objectPath(folder.path, 'a2'));
    for (const locator of ['a1', 'a2', 'a3']) journal.commit(locator);
    await eventually(async () => !(await files()).includes('1'));
  });

  it('keeps a file for the next start when the file of a body cannot be flushed', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    const path = objectPath(folder.path, 'a2');
    await rm(dirname(path), { recursive: true });
    await writeFile(dirname(path), 'no folder');
    for (const locator of ['a1', 'a2', 'a3']) journal.commit(locator);
    await journal.close();
    expect(await files()).toEqual(['1']);
  });

  it('acknowledges no body that was written after a failed flush', async () => {
    await put('a1');
    const flushing = jest.spyOn(await fileHandlePrototype(), 'datasync');
    flushing.mockImplementationOnce(async () => {
      // It is written during the flush, and would be flushed with the next one.
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

  it('keeps files and writes within their limits, even when many bodies arrive at once', async () => {
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
    // Bodies still share writes: otherwise there would be as many writes as bodies.
    expect(writes.length).toBeLessThan(count / 2);
    const names = await files();
    for (const name of names) {
      expect((await stat(join(folder.path, 'journal', name))).size).toBeLessThanOrEqual(most.bytes);
    }
    const paths = names.map((name) => join(folder.path, 'journal', name));
    expect((await readJournals(paths)).size).toBe(count);
    await limited.close();
  });

  it('removes a file after the cause of an earlier error has gone', async () => {
    const warnings: string[] = [];
    const logger = {
      ...silentLogger,
      warn: (_: object, message: string) => warnings.push(message),
    };
    journal = new Journal(folder.path, { bytes: 1000, bodies: 3, full: 2 }, logger);
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    const opening = failCalls('open', 'EMFILE');
    for (const locator of ['a1', 'a2', 'a3']) journal.commit(locator);
    await eventually(() => warnings.length > 0);
    opening.restore();
    expect(await files()).toEqual(['1']);
    journal.retry();
    await eventually(async () => (await files()).length === 0);
    expect(warnings).toEqual(['a journal could not be removed; it is tried again later']);
  });

  it('removes a file at a clean close although the files of its bodies could not be opened before', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    const opening = failCalls('open', 'ENFILE');
    for (const locator of ['a1', 'a2', 'a3']) journal.commit(locator);
    await eventually(() => opening.count() > 0);
    opening.restore();
    await journal.close();
    expect(await files()).toEqual([]);
  });

  it('keeps a file after a failed flush of a body, even if a later flush succeeds', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    const flushing = failCalls('fdatasync', 'EIO', 1);
    for (const locator of ['a1', 'a2', 'a3']) journal.commit(locator);
    await eventually(() => flushing.count() > 0);
    flushing.restore();
    journal.retry();
    await journal.close();
    expect(await files()).toEqual(['1']);
  });

  it('notes which bodies were committed and which were deleted', async () => {
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
    // The note is written without another body.
    await eventually(async () => (await notes()).committed.length === 2);
    await journal.forget('a1');
    expect(await notes()).toEqual({ committed: ['a1', 'a2'], gone: ['a1'] });
  });

  it('returns whether it has the body that is committed', async () => {
    await put('a1');
    expect([journal.commit('a1'), journal.commit('a2')]).toEqual([true, false]);
  });
});
