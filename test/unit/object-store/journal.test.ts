import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Journal } from '../../../src/object-store/journal.ts';
import { objectPath } from '../../../src/object-store/layout.ts';
import { md5Hex } from '../../support/bytes.ts';
import { fileHandlePrototype } from '../../support/file-handles.ts';
import { eventually, temporaryFolder } from '../../support/built-gateway.ts';

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
    expect(journal.unsettled()).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  it('goes when it is full and the last of its bodies is settled or gone', async () => {
    for (const locator of ['a1', 'a2', 'a3', 'a4']) await put(locator);
    journal.settle('a1');
    journal.settle('a2');
    expect(await files()).toEqual(['1', '2']);
    journal.forget('a3');
    await eventually(async () => (await files()).join() === '2');
    expect(journal.unsettled()).toEqual(['a4']);
  });

  it('lets new bodies wait while too many full ones are being flushed', async () => {
    let count = 0;
    for (let n = 0; n < 30; n += 1) {
      await put(`b${String(n).padStart(2, '0')}`);
      journal.settle(`b${String(n).padStart(2, '0')}`);
      count = Math.max(count, (await files()).length);
    }
    expect(count).toBeLessThanOrEqual(4);
  });

  it('goes although a body of it was deleted', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    await rm(objectPath(folder.path, 'a2'));
    for (const locator of ['a1', 'a2', 'a3']) journal.settle(locator);
    await eventually(async () => !(await files()).includes('1'));
  });

  it('stays, for the next start, when the file of a body cannot be flushed', async () => {
    for (const locator of ['a1', 'a2', 'a3']) await put(locator);
    const path = objectPath(folder.path, 'a2');
    await rm(dirname(path), { recursive: true });
    await writeFile(dirname(path), 'no folder');
    for (const locator of ['a1', 'a2', 'a3']) journal.settle(locator);
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
      await eventually(() => journal.unsettled().includes('a3'));
      lateOnes.push(late);
      throw new Error('EIO: i/o error, fdatasync');
    });
    const lateOnes: Promise<void>[] = [];
    await expect(put('a2')).rejects.toThrow('EIO');
    flushing.mockRestore();
    await expect(lateOnes[0]).rejects.toThrow('an earlier flush of the journal has failed');
    await put('a4');
    expect(await files()).toEqual(['1', '2']);
    expect(journal.unsettled()).toEqual(['a1', 'a4']);
  });

  it('tells a body that it does not hold from one that it does', async () => {
    await put('a1');
    expect([journal.settle('a1'), journal.settle('a2')]).toEqual([true, false]);
  });
});
