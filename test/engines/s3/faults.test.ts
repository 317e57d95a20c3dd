import { readdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { StoreUnavailable } from '../../../src/uploads/unavailable.ts';
import { inChunks, md5Hex, patternBytes, sha256Hex } from '../../support/bytes.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import type { FaultyProxy } from '../support/faulty-proxy.ts';
import { openTestStore, storeEndpoint } from '../support/s3-store.ts';
import type { TestStore } from '../support/s3-store.ts';

const MIB = 1024 * 1024;
const CHUNK = 65_536;
const LARGE = patternBytes(24 * MIB + 1);
/** Short, so that a test of a store that does not answer is short. */
const LIMITS = {
  retry: { tries: 3, delay: 10 },
  stallTimeout: 400,
  memoryPatience: 300,
  requestPatience: 300,
  partPatience: 2000,
  closeTimeout: 200,
};

let proxy: FaultyProxy;
let subject: TestStore;

beforeEach(async () => {
  proxy = await startFaultyProxy(storeEndpoint());
  subject = await openTestStore({ endpoint: proxy.url, limits: LIMITS });
  proxy.seen.length = 0;
});

afterEach(async () => {
  await subject.dispose();
  await proxy.close();
});

async function put(locator: string, bytes: Buffer): Promise<void> {
  const body = await subject.store.put(locator, inChunks(bytes, CHUNK), bytes.length);
  expect(body).toMatchObject({
    ...{ size: bytes.length, md5: md5Hex(bytes), sha256: sha256Hex(bytes) },
  });
}

async function read(locator: string, start = 0, end = Infinity): Promise<Buffer> {
  const range = end === Infinity ? undefined : { start, end };
  const body = await subject.store.open(locator, range);
  if (body === undefined) throw new Error(`there is no ${locator}`);
  return buffer(body);
}

const isGet = ({ method }: IncomingMessage): boolean => method === 'GET';
const spooled = (): Promise<string[]> => readdir(join(subject.folder, 'spool'));

describe('a store that answers 503 to every fifth request', () => {
  it('keeps every body exactly', async () => {
    proxy.choose = (_request, number) =>
      number % 5 === 0 ? { status: 503, code: 'SlowDown' } : 'none';
    const small = patternBytes(70_000);
    for (let n = 0; n < 20; n += 1) await put(`a${String(n)}`, small);
    await put('large1', LARGE);
    for (let n = 0; n < 20; n += 1) {
      expect((await read(`a${String(n)}`)).equals(small)).toBe(true);
    }
    expect((await read('large1')).equals(LARGE)).toBe(true);
  });
});

describe('a store that breaks off what it sends', () => {
  beforeEach(() => put('large1', LARGE));

  it('is read to the end of a body by requests for the rest', async () => {
    proxy.choose = (request) => (isGet(request) ? { cutAfter: 9 * MIB } : 'none');
    proxy.seen.length = 0;
    expect((await read('large1')).equals(LARGE)).toBe(true);
    expect(proxy.seen).toHaveLength(3);
    const [start, end] = [5, 20 * MIB] as const;
    expect((await read('large1', start, end)).equals(LARGE.subarray(start, end + 1))).toBe(true);
  });

  it('is given up after three requests for the rest', async () => {
    proxy.choose = (request) => (isGet(request) ? { cutAfter: 4 * MIB } : 'none');
    proxy.seen.length = 0;
    await expect(read('large1')).rejects.toThrow(StoreUnavailable);
    expect(proxy.seen).toHaveLength(4);
  });
});

describe('a store that does not answer', () => {
  it('refuses a body after three tries, and keeps its next one', async () => {
    proxy.choose = () => 'silence';
    await expect(put('a1', patternBytes(1000))).rejects.toThrow(StoreUnavailable);
    expect(proxy.seen.filter((line) => line.startsWith('PUT'))).toHaveLength(3);
    expect(subject.store.failingSince()).toBeDefined();
    expect(await subject.store.uncommitted()).toEqual(['a1']);
    await expect(subject.store.open('a1')).rejects.toThrow(StoreUnavailable);
    await expect(subject.store.stat('a1')).rejects.toThrow(StoreUnavailable);
    proxy.choose = () => 'none';
    await put('a2', patternBytes(1000));
    expect(subject.store.failingSince()).toBeUndefined();
    await subject.store.discard('a1');
    expect(await subject.store.uncommitted()).toEqual([]);
  });

  it('refuses a large body, and leaves nothing of it', async () => {
    proxy.choose = ({ url = '' }) => (url.includes('partNumber') ? 'silence' : 'none');
    await expect(put('large1', LARGE)).rejects.toThrow(StoreUnavailable);
    expect(await spooled()).toEqual([]);
  });

  it('ends a read whose bytes stop', async () => {
    await put('large1', LARGE);
    proxy.choose = (request) => {
      if (isGet(request)) proxy.choose = () => 'silence';
      return isGet(request) ? { cutAfter: MIB } : 'none';
    };
    await expect(read('large1')).rejects.toThrow(StoreUnavailable);
  });

  it('holds no more bytes of 800 bodies than its memory has', async () => {
    proxy.choose = () => 'silence';
    const size = 500_000;
    const chunk = 16_384;
    let held = 0;
    let most = 0;
    const bytes = patternBytes(size);
    const puts = Array.from({ length: 800 }, async (_, n) => {
      let own = 0;
      async function* counted(): AsyncGenerator<Buffer> {
        for await (const each of inChunks(bytes, chunk)) {
          own += each.length;
          held += each.length;
          most = Math.max(most, held);
          yield each;
        }
      }
      try {
        await expect(subject.store.put(`a${String(n)}`, counted(), size)).rejects.toThrow(
          StoreUnavailable,
        );
      } finally {
        held -= own;
      }
    });
    await Promise.all(puts);
    // A body that waits holds its first chunk.
    expect(most).toBeLessThan(64 * MIB + 800 * chunk);
    expect(most).toBeGreaterThan(16 * MIB);
  });
});

describe('a store that refuses connections', () => {
  it('refuses a body, and takes the next one when it is back', async () => {
    await proxy.refuse();
    await expect(put('a1', patternBytes(1000))).rejects.toThrow(/does not answer.*ECONNREFUSED/);
    await proxy.accept();
    await put('a2', patternBytes(1000));
    expect(await read('a2')).toEqual(patternBytes(1000));
  });
});

describe('a store whose clock differs', () => {
  it('keeps a body at the second try', async () => {
    const clock = jest.spyOn(Date, 'now');
    const { now } = performance;
    const { timeOrigin } = performance;
    clock.mockImplementation(() => Math.round(timeOrigin + now.call(performance)) + 20 * 60_000);
    try {
      await put('a1', patternBytes(1000));
      expect(proxy.seen).toHaveLength(2);
      await put('large1', LARGE);
    } finally {
      clock.mockRestore();
    }
  });

  it('refuses a body when the correction does not help', async () => {
    proxy.choose = () => ({ status: 403, code: 'RequestTimeTooSkewed' });
    await expect(put('a1', patternBytes(1000))).rejects.toThrow(/clock/);
    expect(proxy.seen.filter((line) => line.startsWith('PUT'))).toHaveLength(2);
  });
});

describe('a store that is full', () => {
  it('rejects a body as a full disk does', async () => {
    proxy.choose = () => ({ status: 403, code: 'QuotaExceeded' });
    await expect(put('a1', patternBytes(1000))).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(subject.store.failingSince()).toBeUndefined();
  });
});

describe('a multipart upload', () => {
  it('is complete although the answer to its end was lost', async () => {
    let isLost = false;
    proxy.choose = ({ method, url = '' }) => {
      if (isLost || method !== 'POST' || !url.includes('uploadId=')) return 'none';
      isLost = true;
      return 'lostAnswer';
    };
    await put('large1', LARGE);
    expect(isLost).toBe(true);
    expect((await read('large1')).equals(LARGE)).toBe(true);
  });

  it('leaves nothing when its body is cut off', async () => {
    async function* cutOff(): AsyncGenerator<Buffer> {
      yield* inChunks(LARGE, CHUNK);
      throw new Error('the client is gone');
    }
    const { bodies, client, store } = subject;
    await expect(store.put('large1', cutOff(), LARGE.length)).rejects.toThrow('the client is gone');
    expect(await spooled()).toEqual([]);
    await store.close();
    expect(proxy.seen.filter((line) => line.startsWith('DELETE'))).toHaveLength(1);
    expect((await client.listUploads(bodies.folder)).items).toEqual([]);
    expect(await store.uncommitted()).toEqual([]);
    for await (const file of subject.inventory.listFiles()) expect(file).toBeUndefined();
  });
});

describe('the spool', () => {
  it('is emptied at a start', async () => {
    await writeFile(join(subject.folder, 'spool', 'a1'), 'left by a killed process');
    const { folder } = subject;
    const again = await openTestStore({ dataDir: folder });
    expect(await readdir(join(folder, 'spool'))).toEqual([]);
    await again.dispose();
  });

  it('refuses a large body before it is read when the disk has too little room, but no small one', async () => {
    const full = await openTestStore({ minFree: 2 ** 60 });
    const bytes = jest.fn(() => inChunks(LARGE, CHUNK));
    const unread = { [Symbol.asyncIterator]: bytes };
    await expect(full.store.put('a1', unread, LARGE.length)).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    expect(bytes).not.toHaveBeenCalled();
    await expect(full.store.put('a2', inChunks(LARGE, CHUNK))).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    expect(await readdir(join(full.folder, 'spool'))).toEqual([]);
    expect(await full.store.put('a3', inChunks(Buffer.from('small'), 5))).toMatchObject({
      size: 5,
    });
    await full.dispose();
  });
});
