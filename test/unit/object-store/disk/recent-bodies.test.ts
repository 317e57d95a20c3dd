import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RecentBodies } from '../../../../src/object-store/disk/recent-bodies.ts';
import { createTemporaryFolder } from '../../../../src/testing/temporary-folder.ts';
import { patternBytes } from '../../../support/bytes.ts';

describe('recent bodies', () => {
  let folder: string;
  const pathOf = (locator: string): string => join(folder, locator);
  beforeAll(async () => {
    folder = await createTemporaryFolder();
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Reads bodies whose files were removed after they were read once. */
  async function readAgain(bodies: RecentBodies, sizes: Readonly<Record<string, number>>) {
    for (const [locator, size] of Object.entries(sizes)) {
      await writeFile(pathOf(locator), patternBytes(size));
      await bodies.read(locator, size);
      await rm(pathOf(locator));
    }
    const found = Object.entries(sizes).map(async ([locator, size]) => {
      const bytes = await bodies.read(locator, size);
      return bytes === undefined ? [] : [[locator, patternBytes(size).equals(bytes)]];
    });
    return Object.fromEntries((await Promise.all(found)).flat());
  }

  it('are read from memory the second time', async () => {
    expect(await readAgain(new RecentBodies(pathOf), { a: 0, b: 1, c: 65_536 })).toEqual({
      a: true,
      b: true,
      c: true,
    });
  });

  it('take no more memory than their limit: the one that was read last is kept', async () => {
    const bodies = new RecentBodies(pathOf, { maxBytes: 100, total: 202 });
    expect(await readAgain(bodies, { a: 100, b: 100, c: 100 })).toEqual({ b: true, c: true });
    await bodies.read('b', 100);
    expect(await readAgain(bodies, { d: 100 })).toEqual({ d: true });
    expect(await bodies.read('c', 100)).toBeUndefined();
    expect(await bodies.read('b', 100)).toEqual(patternBytes(100));
  });

  it('are forgotten when they are deleted', async () => {
    const bodies = new RecentBodies(pathOf, { maxBytes: 100, total: 202 });
    await readAgain(bodies, { a: 100, b: 100 });
    bodies.forget('a');
    expect(await bodies.read('a', 100)).toBeUndefined();
    // Its memory is free.
    expect(await readAgain(bodies, { c: 100 })).toEqual({ c: true });
    expect(await bodies.read('b', 100)).toEqual(patternBytes(100));
  });

  it.each([
    ['smaller', 99, 99],
    ['larger', 105, 101],
  ])('show that a file is %s than it should be', async (_, size, read) => {
    await writeFile(pathOf('other'), patternBytes(size));
    expect(await new RecentBodies(pathOf).read('other', 100)).toHaveLength(read);
  });
});
