import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import request from 'supertest';
import type { ByteRange, ObjectStore } from '../../../../src/uploads/ports.ts';
import { eventually, startOss } from './start-oss.ts';
import type { Oss } from './start-oss.ts';

const KEY = 'ota/0123/a.bin';
const BODY = 'The quick brown fox jumps over the lazy dog';

const LARGE = Buffer.alloc(24 * 1024 * 1024, 'firmware');
const md5 = (body: Uint8Array) => createHash('md5').update(body).digest('hex');

it.each(['deleted', 'replaced'])(
  'sends an object completely that is %s during the download',
  async (how) => {
    await using oss = await startOss();
    const { locator } = await oss.store(KEY, LARGE);
    await using server = await oss.listen();
    const remove = async (): Promise<void> => {
      if (how === 'replaced') await oss.store(KEY, BODY);
      else await oss.uploads.ledger.deleteUpload(KEY, locator, oss.clock.now());
      await oss.uploads.store.delete(locator);
    };
    const path = oss.sign(KEY);
    const received = await new Promise<Buffer>((resolve, reject) => {
      get({ port: server.port, path }, (response) => {
        const chunks: Buffer[] = [];
        response.once('data', (chunk: Buffer) => {
          chunks.push(chunk);
          response.pause();
          remove()
            .then(() => {
              response.on('data', (next: Buffer) => chunks.push(next));
              response.resume();
            })
            .catch(reject);
        });
        response.on('end', () => {
          resolve(Buffer.concat(chunks));
        });
        response.on('error', reject);
      }).on('error', reject);
    });
    expect(received).toHaveLength(LARGE.length);
    expect(md5(received)).toBe(md5(LARGE));
    expect(await allClosed(oss)).toBe(true);
  },
);

it('closes the file when the client closes the connection, without an error', async () => {
  await using oss = await startOss();
  await oss.store(KEY, LARGE);
  await using server = await oss.listen();
  const path = oss.sign(KEY);
  const open = await new Promise<number>((resolve) => {
    const client = get({ port: server.port, path }, (response) => {
      response.once('data', () => {
        response.pause();
        const open = oss.openBodies();
        client.destroy();
        resolve(open);
      });
    });
  });
  expect(open).toBe(1);
  expect(await allClosed(oss)).toBe(true);
  expect(oss.errors).toEqual([]);
});

it('stops reading the disk while the client does not read', async () => {
  let read = 0;
  await using oss = await startOss({
    wrapStore: (store) =>
      withOpen(store, async (locator, range) => {
        const body = await store.open(locator, range);
        body?.on('data', (chunk: Buffer) => {
          read += chunk.length;
        });
        return body;
      }),
  });
  await oss.store(KEY, LARGE);
  await using server = await oss.listen();
  const client = get({ port: server.port, path: oss.sign(KEY) });
  client.on('response', (response) => response.pause()).on('error', () => undefined);
  await eventually(
    () => read,
    (bytes) => bytes > 0,
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(read).toBeLessThan(LARGE.length);
  client.destroy();
  expect(await allClosed(oss)).toBe(true);
});

it('closes the file when the client has closed the connection before it was open', async () => {
  let opening: (() => void) | undefined;
  const gone = new Promise<void>((resolve) => {
    opening = resolve;
  });
  let opened = 0;
  await using oss = await startOss({
    wrapStore: (store) =>
      withOpen(store, async (locator, range) => {
        opened += 1;
        await gone;
        return store.open(locator, range);
      }),
  });
  await oss.store(KEY, LARGE);
  await using server = await oss.listen();
  const socket = connect(server.port, '127.0.0.1');
  socket.write(`GET ${oss.sign(KEY)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await eventually(
    () => opened,
    (count) => count === 1,
  );
  socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, 50));
  opening?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await allClosed(oss)).toBe(true);
  expect(oss.errors).toEqual([]);
});

it('looks an object up again that was replaced before its file was opened', async () => {
  let replace: (() => Promise<void>) | undefined;
  await using oss = await startOss({
    wrapStore: (store) =>
      withOpen(store, async (locator, range) => {
        const now = replace;
        replace = undefined;
        await now?.();
        return store.open(locator, range);
      }),
  });
  const { locator } = await oss.store(KEY, 'old');
  replace = async () => {
    await oss.store(KEY, BODY);
    await oss.uploads.store.delete(locator);
  };
  const { status, body, headers } = await request(oss.app).get(oss.sign(KEY)).responseType('blob');
  expect(status).toBe(200);
  expect(String(body)).toBe(BODY);
  expect(headers).toHaveProperty('etag', '"9E107D9D372BB6826BD81D3542A419D6"');
});

it.each(['breaks off', 'is too short'])('closes the connection when a body %s', async (how) => {
  await using oss = await startOss({
    wrapStore: (store) =>
      withOpen(store, async (locator) => {
        const body = await store.open(locator, { start: 0, end: 99_999 });
        if (how === 'breaks off') {
          body?.once('data', () => {
            body.destroy(new Error('EIO'));
          });
        }
        return body;
      }),
  });
  await oss.store(KEY, LARGE);
  await using server = await oss.listen();
  await expect(
    new Promise((resolve, reject) => {
      get({ port: server.port, path: oss.sign(KEY) }, (response) => {
        response.on('error', reject).on('end', resolve).resume();
      }).on('error', reject);
    }),
  ).rejects.toThrow();
  expect(oss.errors).toHaveLength(1);
  expect(await allClosed(oss)).toBe(true);
});

async function allClosed(oss: Oss): Promise<boolean> {
  const open = await eventually(
    () => oss.openBodies(),
    (count) => count === 0,
  );
  return open === 0;
}

function withOpen(
  store: ObjectStore,
  open: (locator: string, range?: ByteRange) => Promise<Readable | undefined>,
): ObjectStore {
  return {
    put: (locator, body) => store.put(locator, body),
    commit: (locator) => store.commit(locator),
    discard: (locator) => store.discard(locator),
    release: (locator) => store.release(locator),
    uncommitted: () => store.uncommitted(),
    digest: (locator, algorithm) => store.digest(locator, algorithm),
    open,
    stat: (locator) => store.stat(locator),
    delete: (locator) => store.delete(locator),
    close: () => store.close(),
  };
}
