import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { Duplex } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import express from 'express';
import { AccountDirectory } from '../../../src/accounts/accounts.ts';
import { ManualClock } from '../../../src/lib/clock.ts';
import { EventHub, MAX_KEPT, MAX_LISTENERS, MAX_OF_GROUP } from '../../../src/operator/events.ts';
import { authenticate, callerOf } from '../../../src/ops/api/authenticate.ts';
import type { Caller } from '../../../src/ops/api/callers.ts';
import { MAX_WAITING, createEventStream } from '../../../src/ops/api/events.ts';

jest.mock('../../../src/lib/timers.ts', () =>
  jest.requireActual('../../support/fakeable-timers.ts'),
);

const KEY = { id: 'id', secret: 'secret' };
const HEARTBEAT_MS = 15_000;

/** The side of a gateway of a connection without a network. */
class Connection extends Duplex {
  received = '';
  #isReading = true;
  #resume: (() => void)[] = [];

  override _read(): void {
    // Everything is pushed.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.received += String(chunk);
    if (this.#isReading) done();
    else this.#resume.push(done);
  }

  override _final(done: () => void): void {
    done();
  }

  /** Takes nothing any more, as a client that does not read. */
  stop(): void {
    this.#isReading = false;
  }

  get types(): string[] {
    return [...this.received.matchAll(/^event: (\w+)$/gm)].map(([, type = '']) => type);
  }
}

let wallClock: ManualClock;
let hub: EventHub;
let server: Server;
let session: Caller['session'];

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  wallClock = new ManualClock();
  session = undefined;
  hub = new EventHub(new ManualClock(0));
  const accounts = new AccountDirectory([{ id: 'ann', accessKeys: [KEY] }]);
  const unused = () => Promise.reject(new Error('not expected'));
  const nonces = { burn: unused, prune: unused };
  const sessions = {
    find: () => undefined,
    isOpen: ({ expiresAt }: { readonly expiresAt: number }) => wallClock.now() < expiresAt,
    onEnded: () => () => undefined,
  };
  const deps = { accounts, clock: new ManualClock(), wallClock, hub, sessions };
  const app = express();
  app.use(authenticate({ ...deps, nonces, publicHosts: [], publicUrl: undefined }));
  app.use((request, _response, next) => {
    if (session !== undefined) Object.assign(callerOf(request), { session });
    next();
  });
  app.get('/events', createEventStream(deps));
  server = createServer(app);
});

afterEach(() => {
  hub.close();
  jest.useRealTimers();
});

const turn = () => new Promise(setImmediate);

async function connect(query = ''): Promise<Connection> {
  const connection = new Connection();
  connection.on('error', () => undefined);
  server.emit('connection', connection);
  const authorization = Buffer.from(`${KEY.id}:${KEY.secret}`).toString('base64');
  const head = `GET /events${query} HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ${authorization}`;
  connection.push(`${head}\r\n\r\n`);
  for (let turns = 0; turns < 5; turns += 1) await turn();
  return connection;
}

function isOpen(connection: Connection): boolean {
  return !connection.destroyed && !connection.received.endsWith('\r\n0\r\n\r\n');
}

it('tells the client to come back after a second', async () => {
  const connection = await connect();
  expect(connection.received).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(connection.received).toContain('retry: 1000\n\n');
});

it('folds the events of a burst for a client that asks for it only', async () => {
  const [plain, folded] = [await connect(), await connect('?fold=on')];
  for (let n = 0; n < 100; n += 1) hub.publish('upload', () => ({ n }));
  jest.advanceTimersByTime(250);
  await turn();
  expect([plain, folded].map(({ types }) => types.length)).toEqual([100, 21]);
  expect(folded.types.at(-1)).toBe('lost');
});

it('ends the oldest stream of a session for one more, after the event moved', async () => {
  session = { id: 'a', expiresAt: Infinity };
  const streams: Connection[] = [];
  for (let n = 0; n < MAX_OF_GROUP + 1; n += 1) streams.push(await connect());
  session = { id: 'b', expiresAt: Infinity };
  streams.push(await connect());
  expect(streams.map(isOpen)).toEqual([false, true, true, true, true, true]);
  expect(streams.map(({ types }) => types)).toEqual([['moved'], [], [], [], [], []]);
});

it('ends the stream of a session that has expired, with the next heartbeat', async () => {
  session = { id: 'a', expiresAt: wallClock.now() + 60_000 };
  const [stream, other] = [await connect(), ((session = undefined), await connect())];
  wallClock.advance({ milliseconds: 59_999 });
  jest.advanceTimersByTime(HEARTBEAT_MS);
  await turn();
  expect(isOpen(stream)).toBe(true);
  wallClock.advance({ milliseconds: 1 });
  jest.advanceTimersByTime(HEARTBEAT_MS);
  await turn();
  expect([stream, other].map(isOpen)).toEqual([false, true]);
});

it('passes a burst within one turn to a client that reads, also when it is more than may wait', async () => {
  const connection = await connect();
  const text = 'x'.repeat(1000);
  const count = Math.ceil((2 * MAX_WAITING) / text.length);
  for (let n = 0; n < count; n += 1) hub.publish('upload', () => ({ text }));
  await turn();
  expect(isOpen(connection)).toBe(true);
  expect(connection.types).toHaveLength(count);
});

it('cuts a client that does not read, when too much waits for it', async () => {
  const [reader, stuck] = [await connect(), await connect()];
  stuck.stop();
  const text = 'x'.repeat(1000);
  const publishBytes = async (bytes: number): Promise<void> => {
    for (let sent = 0; sent < bytes; sent += text.length) {
      hub.publish('upload', () => ({ text }));
      await turn();
    }
  };
  await publishBytes(MAX_WAITING / 2);
  expect([reader, stuck].map(isOpen)).toEqual([true, true]);
  await publishBytes(MAX_WAITING / 2);
  expect([reader, stuck].map(isOpen)).toEqual([true, false]);
});

it('holds less than 24 MiB for as many clients as may listen, when none of them reads', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const held = (): number => {
    collect();
    const { external, heapUsed } = process.memoryUsage();
    return external + heapUsed;
  };
  const connections: Connection[] = [];
  for (let n = 0; n < MAX_LISTENERS; n += 1) connections.push(await connect());
  for (const connection of connections) connection.stop();
  const before = held();
  // As long as that of a usual request.
  const text = 'x'.repeat(300);
  let most = 0;
  for (let n = 0; n < MAX_KEPT && connections.some(isOpen); n += 1) {
    hub.publish('upload', () => ({ text, n }));
    await turn();
    if (n % 20 === 0) most = Math.max(most, held() - before);
  }
  expect(connections.filter(isOpen)).toEqual([]);
  expect(most / 1024 ** 2).toBeLessThan(24);
  connections.length = 0;
  await turn();
  expect((held() - before) / 1024 ** 2).toBeLessThan(4);
});
