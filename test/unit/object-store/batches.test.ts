import fc from 'fast-check';
import type { Batch } from '../../../src/object-store/batches.ts';
import { GatheredChunks, maxHeldBytes, inBatches } from '../../../src/object-store/batches.ts';
import type { MemoryLease } from '../../../src/object-store/body-memory.ts';
import { BodyMemory } from '../../../src/object-store/body-memory.ts';
import { inChunks, patternBytes } from '../../support/bytes.ts';

jest.mock('../../../src/lib/timers.ts', () =>
  jest.requireActual('../../support/fakeable-timers.ts'),
);

const KIB = 1024;

/** @returns the size of the buffers of some chunks; each buffer counts once */
function held(chunks: readonly Uint8Array[]): number {
  const buffers = new Set(chunks.map(({ buffer }) => buffer));
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** A chunk with its own buffer, as a socket delivers it. */
function own(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

describe('GatheredChunks', () => {
  it.each([
    ['of one byte', 512 * KIB, (): Uint8Array => own(Buffer.of(7))],
    ['that are a small part of their memory', 300, () => new Uint8Array(64 * KIB).subarray(5, 900)],
    ['that are half of their memory', 8, () => new Uint8Array(64 * KIB).subarray(32 * KIB)],
    ['that are their memory', 8, () => new Uint8Array(64 * KIB)],
    ['of one byte, just one', 1, () => own(Buffer.of(7))],
  ])('holds little more memory than the bytes of chunks %s', (_which, count, make) => {
    const gathered = new GatheredChunks();
    for (let n = 0; n < count; n += 1) gathered.add(make());
    const { chunks, size } = gathered.take();
    expect(size).toBe(count * make().length);
    expect(held(chunks)).toBeLessThanOrEqual(maxHeldBytes(size));
    // Each chunk also costs an object.
    expect(chunks.length).toBeLessThanOrEqual(size / (4 * KIB) + 8);
  });

  it('does not copy a large chunk with its own buffer', () => {
    const gathered = new GatheredChunks();
    const chunk = patternBytes(60 * KIB);
    gathered.add(chunk);
    gathered.add(own(Buffer.of(1)));
    expect(gathered.take().chunks[0]).toBe(chunk);
  });

  it('keeps the bytes of chunks of any size', () => {
    const sizes = fc.array(fc.oneof(fc.nat(10), fc.nat(9 * KIB), fc.nat(70 * KIB)), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(sizes, fc.boolean(), (lengths, owned) => {
        const bytes = patternBytes(lengths.reduce((sum, length) => sum + length, 0));
        const gathered = new GatheredChunks();
        let at = 0;
        for (const length of lengths) {
          const chunk = bytes.subarray(at, (at += length));
          gathered.add(owned ? own(chunk) : chunk);
        }
        const { chunks, size } = gathered.take();
        expect(size).toBe(bytes.length);
        expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
        expect(gathered.take()).toEqual({ chunks: [], size: 0 });
      }),
    );
  });
});

describe('inBatches', () => {
  const memory = new BodyMemory(2 * maxHeldBytes(KIB));
  const gather = (
    bytes: AsyncIterable<Uint8Array>,
    acquire = () => memory.acquire(maxHeldBytes(KIB)),
  ) => inBatches(bytes, { acquire, first: 1000, others: () => 500 });

  async function all(bytes: AsyncIterable<Uint8Array>): Promise<Batch[]> {
    const batches: Batch[] = [];
    for await (const batch of gather(bytes)) {
      batches.push({ ...batch, chunks: [...batch.chunks] });
      batch.release();
      expect(batch.chunks).toEqual([]);
    }
    return batches;
  }

  it.each([
    [0, []],
    [1, [[1, true]]],
    [999, [[999, true]]],
    [1000, [[1000, false]]],
    [
      1750,
      [
        [1000, false],
        [500, false],
        [250, true],
      ],
    ],
  ])(
    'splits %d bytes into batches of the right sizes and marks the last one',
    async (size, sizes) => {
      const batches = await all(inChunks(patternBytes(size), size > 999 ? 50 : 999));
      expect(batches.map((batch) => [batch.size, batch.isLast])).toEqual(sizes);
      const bytes = Buffer.concat(batches.flatMap(({ chunks }) => chunks));
      expect(bytes.equals(patternBytes(size))).toBe(true);
    },
  );

  it('continues after the memory was reclaimed from a silent client', async () => {
    const leases: MemoryLease[] = [];
    const acquire = async (): Promise<MemoryLease> => {
      const lease = await memory.acquire(maxHeldBytes(KIB));
      leases.push(lease);
      return lease;
    };
    let speak = (): void => undefined;
    const spoken = new Promise<void>((resolve) => (speak = resolve));
    async function* silentAfterTen(): AsyncGenerator<Buffer> {
      yield* inChunks(Buffer.from('0123456789'), 5);
      await spoken;
      yield Buffer.from('more');
    }
    const batches = gather(silentAfterTen(), acquire);
    const first = batches.next();
    while (leases[0]?.onReclaim === undefined) await new Promise(setImmediate);
    leases[0].onReclaim();
    expect((await first).value).toMatchObject({ size: 10, isLast: false });
    const second = batches.next();
    speak();
    expect((await second).value).toMatchObject({ size: 4, isLast: true });
    leases[0].release();
  });

  it('releases the memory when the body fails', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield* inChunks(Buffer.from('bytes'), 5);
      throw new Error('the client is gone');
    }
    const narrow = new BodyMemory(1);
    for (let time = 0; time < 3; time += 1) {
      const batches = gather(broken(), () => narrow.acquire(1));
      await expect(batches.next()).rejects.toThrow('the client is gone');
    }
  });
});

describe('BodyMemory', () => {
  /** Lets all pending callbacks run. */
  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('leases memory up to its size, and then in the order of the requests', async () => {
    const memory = new BodyMemory(100);
    const leases: MemoryLease[] = [];
    const served = [60, 40, 50, 1].map(async (bytes) => {
      leases.push(await memory.acquire(bytes));
    });
    await nextTurn();
    expect(leases).toHaveLength(2);
    leases[1]?.release();
    leases[1]?.release();
    await nextTurn();
    // The last one would fit, but others wait before it.
    expect(leases).toHaveLength(2);
    leases[0]?.release();
    await nextTurn();
    await Promise.all(served);
    expect(leases).toHaveLength(4);
    for (const lease of leases) lease.release();
  });

  it('gives a lease that is larger than the memory when no other lease is active', async () => {
    const memory = new BodyMemory(100);
    const lease = await memory.acquire(1000);
    let served = false;
    const next = memory.acquire(1).then((other) => {
      served = true;
      other.release();
    });
    await nextTurn();
    expect(served).toBe(false);
    lease.release();
    await next;
  });

  it('reclaims the memory of bodies that still gather after others have waited for a while', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    const memory = new BodyMemory(100);
    const [slow, written] = [await memory.acquire(50), await memory.acquire(50)];
    written.endGathering();
    const needed: string[] = [];
    slow.onReclaim = () => needed.push('slow');
    written.onReclaim = () => needed.push('written');
    jest.advanceTimersByTime(10_000);
    expect(needed).toEqual([]);
    const waiting = memory.acquire(10);
    jest.advanceTimersByTime(10_000);
    expect(needed).toEqual(['slow']);
    slow.release();
    (await waiting).release();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });
});
