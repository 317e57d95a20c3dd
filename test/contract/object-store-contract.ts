import { buffer } from 'node:stream/consumers';
import type { BodyInventory } from '../../src/uploads/maintenance/ports.ts';
import type { ObjectStore } from '../../src/uploads/ports.ts';
import { inChunks, md5Hex, patternBytes, sha256Hex } from '../support/bytes.ts';

/** A new store under test. */
export interface ObjectStoreUnderTest {
  store: ObjectStore;
  /** What operators ask of the same store. */
  inventory: BodyInventory;
  /** Opens the same store again, as after a crash, or as another process. */
  reopen(): Promise<ObjectStore>;
  dispose(): Promise<void>;
}

const MIB = 1024 * 1024;

async function* broken(bytes: Buffer): AsyncGenerator<Buffer> {
  yield* inChunks(bytes, 64 * 1024);
  throw new Error('the client is gone');
}

/** The tests that every object store passes. */
export function describeObjectStore(name: string, open: () => Promise<ObjectStoreUnderTest>): void {
  describe(`${name} as an object store`, () => {
    let subject: ObjectStoreUnderTest;
    let store: ObjectStore;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });

    afterEach(() => subject.dispose());

    const read = async (
      locator: string,
      range?: { start: number; end: number },
    ): Promise<Buffer> => {
      const body = await store.open(locator, range);
      if (body === undefined) throw new Error(`there is no ${locator}`);
      return buffer(body);
    };

    it.each([0, 1, 65_536, MIB / 2 - 1, MIB / 2, MIB / 2 + 1, MIB, 3 * MIB + 17, 24 * MIB + 1])(
      'keeps %d bytes exactly, and returns their size and digests',
      async (size) => {
        const bytes = patternBytes(size);
        const body = await store.put('a1', inChunks(bytes, 65_536));
        expect(body).toMatchObject({ size, md5: md5Hex(bytes) });
        expect(await store.digest('a1', 'sha256')).toBe(sha256Hex(bytes));
        expect((await read('a1')).equals(bytes)).toBe(true);
        expect(await store.stat('a1')).toMatchObject({ size });
      },
    );

    it.each([
      ['an empty body', Buffer.alloc(0), '0'],
      ['"123456789"', Buffer.from('123456789'), '11051210869376104954'],
      [
        'the bytes 00 to ff',
        Buffer.from(Array.from({ length: 256 }, (_, n) => n)),
        '8232944260754389680',
      ],
      ['1 MiB of zeros', Buffer.alloc(MIB), '6947770692288575170'],
    ])('computes the CRC-64/XZ of %s', async (_name, bytes, crc64) => {
      expect(await store.put('a1', inChunks(bytes, 4096))).toMatchObject({ crc64 });
    });

    it('computes digests that do not depend on how the bytes are split', async () => {
      const bytes = patternBytes(2 * MIB + 5);
      const whole = await store.put('a1', inChunks(bytes, bytes.length));
      const pieces = await store.put('a2', inChunks(bytes, 1000));
      expect(pieces).toEqual(whole);
    });

    it('reads a range including both ends', async () => {
      await store.put('a1', inChunks(Buffer.from('0123456789'), 3));
      expect((await read('a1', { start: 2, end: 4 })).toString()).toBe('234');
    });

    it('reads a small body at once, if it does that, until it is deleted', async () => {
      const bytes = patternBytes(1000);
      await store.put('a1', inChunks(bytes, 300));
      const { smallBodies = { read: () => read('a1') } } = store;
      expect(await smallBodies.read('a1', 1000)).toEqual(bytes);
      expect(await smallBodies.read('a1', 1000)).toEqual(bytes);
      await store.delete('a1');
      expect(await store.smallBodies?.read('a1', 1000)).toBeUndefined();
    });

    it('finds nothing under an unknown locator', async () => {
      expect(await store.open('none')).toBeUndefined();
      expect(await store.stat('none')).toBeUndefined();
      expect(await store.digest('none', 'sha256')).toBeUndefined();
      await expect(store.delete('none')).resolves.toBeUndefined();
      await expect(store.commit('none')).resolves.toBeUndefined();
      await expect(store.discard('none')).resolves.toBeUndefined();
    });

    it.each([10, 3 * MIB])('removes a body that fails after %d bytes', async (size) => {
      await expect(store.put('a1', broken(patternBytes(size)))).rejects.toThrow(
        'the client is gone',
      );
      expect(await store.stat('a1')).toBeUndefined();
      expect(await (await subject.reopen()).uncommitted()).toEqual([]);
    });

    it('delivers a complete body even if it is deleted during the read', async () => {
      const bytes = patternBytes(2 * MIB);
      await store.put('a1', inChunks(bytes, 65_536));
      const body = await store.open('a1');
      await store.delete('a1');
      expect(body && (await buffer(body)).equals(bytes)).toBe(true);
      expect(await store.stat('a1')).toBeUndefined();
    });

    it('lists a released body as uncommitted without a crash', async () => {
      await store.put('a1', inChunks(Buffer.from('one'), 1));
      expect(await store.uncommitted()).toEqual([]);
      store.release('a1');
      expect(await store.uncommitted()).toEqual(['a1']);
      await store.discard('a1');
      expect(await store.uncommitted()).toEqual([]);
    });

    it('stores many bodies at the same time', async () => {
      const bodies = Array.from({ length: 12 }, (_, n) => patternBytes(n * 300_000));
      const stored = await Promise.all(
        bodies.map((bytes, n) => store.put(`b${String(n)}`, inChunks(bytes, 65_536))),
      );
      expect(stored.map((body) => body.md5)).toEqual(bodies.map(md5Hex));
    });

    it('has what another instance has stored, and deletes it', async () => {
      const other = await subject.reopen();
      const bytes = patternBytes(70_000);
      await other.put('a1', inChunks(bytes, 65_536));
      await other.commit('a1');
      expect((await read('a1')).equals(bytes)).toBe(true);
      await store.delete('a1');
      expect(await other.open('a1')).toBeUndefined();
    });

    it('keeps bodies that two instances store at once', async () => {
      const other = await subject.reopen();
      const bodies = Array.from({ length: 8 }, (_, n) => patternBytes(n * 200_000));
      await Promise.all(
        bodies.map((bytes, n) =>
          (n % 2 ? store : other).put(`c${String(n)}`, inChunks(bytes, 65_536)),
        ),
      );
      for (const [n, bytes] of bodies.entries())
        expect((await read(`c${String(n)}`)).equals(bytes)).toBe(true);
    });
  });
}

/** The tests of a store that remembers across a crash which bodies are uncommitted. Others leave it to the sweep. */
export function describeRememberingStore(
  name: string,
  open: () => Promise<ObjectStoreUnderTest>,
): void {
  describe(`${name} as a store that remembers`, () => {
    let subject: ObjectStoreUnderTest;
    let store: ObjectStore;

    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });

    afterEach(() => subject.dispose());

    it('lists an uncommitted body after a crash until it is committed or discarded', async () => {
      await store.put('a1', inChunks(Buffer.from('one'), 1));
      await store.put('a2', inChunks(Buffer.from('two'), 1));
      await store.commit('a2');
      expect(await store.uncommitted()).toEqual([]);
      const afterCrash = await subject.reopen();
      expect(await afterCrash.uncommitted()).toContain('a1');
      await afterCrash.discard('a1');
      // A commit shortly before a crash may be lost.
      await afterCrash.commit('a2');
      expect(await afterCrash.uncommitted()).toEqual([]);
      expect(await afterCrash.stat('a1')).toBeUndefined();
      expect(await afterCrash.stat('a2')).toMatchObject({ size: 3 });
      expect(await (await subject.reopen()).uncommitted()).toEqual([]);
    });

    it('discards a body that a crash has brought back', async () => {
      await store.put('a1', inChunks(Buffer.from('one'), 1));
      await store.commit('a1');
      await store.delete('a1');
      const afterCrash = await subject.reopen();
      for (const locator of await afterCrash.uncommitted()) await afterCrash.discard(locator);
      expect(await afterCrash.stat('a1')).toBeUndefined();
    });
  });
}
