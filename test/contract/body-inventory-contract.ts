import type { BodyInventory, FoundFile } from '../../src/uploads/maintenance/ports.ts';
import type { ObjectStore } from '../../src/uploads/ports.ts';
import { inChunks, md5Hex, patternBytes, sha256Hex } from '../support/bytes.ts';
import type { ObjectStoreUnderTest } from './object-store-contract.ts';

const MIB = 1024 * 1024;
/** The clock of the store may be another one. */
const CLOCKS_DIFFER_MS = 60_000;

/** The tests that the inventory of every store passes. */
export function describeBodyInventory(
  name: string,
  open: () => Promise<ObjectStoreUnderTest>,
): void {
  describe(`${name} as an inventory`, () => {
    let subject: ObjectStoreUnderTest;
    let store: ObjectStore;
    let inventory: BodyInventory;

    beforeEach(async () => {
      subject = await open();
      ({ inventory, store } = subject);
    });

    afterEach(() => subject.dispose());

    async function listed(): Promise<FoundFile[]> {
      const files: FoundFile[] = [];
      for await (const file of inventory.listFiles()) files.push(file);
      return files.sort((one, other) => ((one.locator ?? '') < (other.locator ?? '') ? -1 : 1));
    }

    const put = async (locator: string, size: number): Promise<void> => {
      await store.put(locator, inChunks(patternBytes(size), 65_536));
      await store.commit(locator);
    };

    it('lists nothing of a new store', async () => {
      expect(await listed()).toEqual([]);
    });

    it('lists each body with its size and the time when it was written', async () => {
      const before = Date.now();
      for (const [locator, size] of [
        ['a1', 0],
        ['a2', 70_000],
        ['a3', 2 * MIB],
      ] as const)
        await put(locator, size);
      const files = await listed();
      expect(files).toMatchObject([
        { locator: 'a1', size: 0 },
        { locator: 'a2', size: 70_000 },
        { locator: 'a3', size: 2 * MIB },
      ]);
      for (const { writtenAt } of files)
        expect(Math.abs(writtenAt - before)).toBeLessThan(CLOCKS_DIFFER_MS);
    });

    it('lists a body that nobody has committed, also after a crash', async () => {
      await store.put('a1', inChunks(Buffer.from('one'), 1));
      await subject.reopen();
      expect(await listed()).toMatchObject([{ locator: 'a1', size: 3 }]);
    });

    it('lists no body that was deleted, or whose bytes have failed', async () => {
      await put('a1', 100);
      await store.delete('a1');
      const broken = (async function* () {
        yield* inChunks(patternBytes(100_000), 65_536);
        throw new Error('the client is gone');
      })();
      await expect(store.put('a2', broken)).rejects.toThrow('the client is gone');
      expect(await listed()).toEqual([]);
    });

    it('lists more bodies than a page has', async () => {
      const locators = Array.from({ length: 1001 }, (_, n) => `b${String(n).padStart(4, '0')}`);
      for (let n = 0; n < locators.length; n += 50)
        await Promise.all(locators.slice(n, n + 50).map((locator) => put(locator, 1)));
      expect((await listed()).map(({ locator }) => locator)).toEqual(locators);
    });

    it('measures a body by reading it', async () => {
      const bytes = patternBytes(2 * MIB + 1);
      const { crc64 } = await store.put('a1', inChunks(bytes, 65_536));
      const measured = { size: bytes.length, md5: md5Hex(bytes), crc64, sha256: sha256Hex(bytes) };
      expect(measured).toMatchObject((await inventory.measure('a1')) ?? { size: -1 });
      expect(await inventory.stat('a1')).toEqual({ size: bytes.length });
      expect(await inventory.measure('none')).toBeUndefined();
      expect(await inventory.stat('none')).toBeUndefined();
    });
  });
}
