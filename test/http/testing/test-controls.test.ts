import { createServer, request as httpRequest } from 'node:http';
import type { OutgoingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import express from 'express';
import type { TestGateway } from '../../../src/testing/index.ts';
import { startTestGateway } from '../../support/gateways.ts';

const BASE = '/_gateway/test';
const START = '2024-01-01T00:00:00.000Z';

const logged: unknown[] = [];
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (details: object) => logged.push(details),
};

let gateway: TestGateway;
let server: Server;
let port: number;

beforeEach(async () => {
  logged.length = 0;
  gateway = await startTestGateway({ testMode: true, parts: { logger } });
  server = createServer(gateway.app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port: free } = server.address() as AddressInfo;
  port = free;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await gateway.close();
});

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

interface Received {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}

/** Sends a request with any target and any header, which ordinary clients would refuse to send. */
function send({ body = '', headers = {}, method = 'POST', path }: Sent): Promise<Received> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ port, host: '127.0.0.1', method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const type = response.headers['content-type'];
        resolve({ status: response.statusCode ?? 0, type, text });
      });
    });
    sent.on('error', reject).end(body);
  });
}

/** @returns the status and the error of a JSON response */
function errorOf({ status, text, type }: Received): [number, string] {
  expect(type).toBe('application/json; charset=utf-8');
  const { error } = JSON.parse(text) as { error: string };
  return [status, error];
}

describe('the clock over HTTP', () => {
  const json = (value: unknown): string => JSON.stringify(value);

  it.each([
    ['PUT', '/clock', json({ time: 8.64e15 + 1 })],
    ['PUT', '/clock', json({ time: 253402300800000 })],
    ['PUT', '/clock', json({ time: -1 })],
    ['PUT', '/clock', json({ time: '9999-12-31T23:59:59Z' })],
    ['PUT', '/clock', json({ time: '0001-01-01T00:00:00Z' })],
    ['PUT', '/clock', '{"time": 1e999}'],
    ['PUT', '/clock', json({ time: 0.5 })],
    ['PUT', '/clock', json({ time: null })],
    ['POST', '/clock/advance', json({ days: 1e9 })],
    ['POST', '/clock/advance', json({ days: 1e300, hours: 1e300 })],
    ['POST', '/clock/advance', json({ days: 1.7e308, hours: 1.7e308 })],
    ['POST', '/clock/advance', json({ days: -20_000 })],
    ['POST', '/clock/advance', '{"seconds": 1e999}'],
    ['POST', '/clock/advance', json({ seconds: NaN })],
    ['POST', '/clock/advance', json({ seconds: '1' })],
  ])('refuses %s %s %s, and does not move', async (method, path, body) => {
    const [status, error] = errorOf(await send({ method, path: BASE + path, body }));
    expect(status).toBe(400);
    expect(error).not.toBe('');
    const { text } = await send({ method: 'GET', path: `${BASE}/clock` });
    expect(JSON.parse(text)).toEqual({ time: START, frozen: false, offset: 0 });
  });

  it('reports the range of the clock', async () => {
    const sent = { path: `${BASE}/clock/advance`, body: json({ days: 1e9 }) };
    expect(errorOf(await send(sent))[1]).toContain(
      'from 1970-01-01T00:00:00.000Z to 9000-01-01T00:00:00.000Z',
    );
  });

  it.each([0, Date.UTC(9000, 0, 1)])('serves the life of an upload at %d', async (time) => {
    gateway.clock.set(time);
    const { firmwareId } = await seedByHand();
    expect(await gateway.api.queryOTAFirmware({ firmwareId })).toMatchObject({ firmwareId });
    const { status, text } = await send({ method: 'GET', path: `${BASE}/snapshot` });
    expect([status, JSON.parse(text).uploads[0].state]).toEqual([200, 'claimed']);
  });

  it('serves the life of an upload after a step of a third of a second', async () => {
    const { text } = await send({ path: `${BASE}/clock/advance`, body: json({ seconds: 1 / 3 }) });
    expect(JSON.parse(text).time).toBe('2024-01-01T00:00:00.333Z');
    gateway.clock.advance({ seconds: 1 / 3 });
    expect((await seedByHand()).firmwareId).toBeDefined();
  });

  const seedByHand = async (): Promise<{ firmwareId: string }> => {
    const grant = await gateway.api.generateOTAUploadURL();
    expect(await gateway.postObject(grant, 'firmware')).toMatchObject({ status: 200 });
    return gateway.api.createOTAFirmware({
      firmwareName: 'one',
      destVersion: '1.0.0',
      firmwareUrl: grant.firmwareUrl,
    });
  };
});

describe('/_gateway', () => {
  const FAULTS = `${BASE}/faults`;

  it.each<[string, number, Sent]>([
    ['a broken escape', 400, { method: 'DELETE', path: `${FAULTS}/%zz` }],
    ['an escape that is not UTF-8', 400, { method: 'DELETE', path: `${FAULTS}/%ff%fe` }],
    ['a broken escape in the id', 400, { method: 'PUT', path: `${BASE}/packages/%e0%a4%a/status` }],
    ['a broken escape elsewhere', 404, { method: 'GET', path: '/_gateway/%zz' }],
    ['an id that is not a number', 404, { method: 'DELETE', path: `${FAULTS}/1e0` }],
    ['an id beyond all numbers', 404, { method: 'DELETE', path: `${FAULTS}/${'9'.repeat(400)}` }],
    ['another method', 404, { method: 'PATCH', path: `${BASE}/clock` }],
    ['a preflight', 404, { method: 'OPTIONS', path: `${BASE}/clock` }],
    ['a preflight of the health', 404, { method: 'OPTIONS', path: '/_gateway/health/live' }],
    ['a method of the health', 404, { method: 'DELETE', path: '/_gateway/health/live' }],
    ['TRACE', 404, { method: 'TRACE', path: `${BASE}/clock` }],
    ['no path', 404, { method: 'GET', path: '/_gateway' }],
    ['broken JSON', 400, { path: FAULTS, body: '{nonsense' }],
    ['text', 400, { path: FAULTS, body: '"text"' }],
    ['an array', 400, { path: FAULTS, body: '[1]' }],
    ['deep JSON', 400, { path: FAULTS, body: '['.repeat(30_000) + ']'.repeat(30_000) }],
    ['a prototype', 400, { path: FAULTS, body: '{"__proto__": {"operation": "PostObject"}}' }],
    ['a body that is too large', 413, { path: FAULTS, body: `{"a":"${'a'.repeat(70_000)}"}` }],
    [
      'an unknown charset',
      415,
      { path: FAULTS, body: '{}', headers: { 'Content-Type': 'a/b; charset=utf-none' } },
    ],
    [
      'a compressed body',
      415,
      {
        path: FAULTS,
        body: gzipSync(Buffer.alloc(20 * 1024 * 1024)),
        headers: { 'Content-Encoding': 'gzip' },
      },
    ],
    [
      'an unknown encoding',
      415,
      { path: FAULTS, body: '{}', headers: { 'Content-Encoding': 'nonsense' } },
    ],
  ])('answers %s with %d and JSON', async (_case, expected, sent) => {
    const [status, error] = errorOf(await send(sent));
    expect([status, typeof error]).toEqual([expected, 'string']);
    expect(logged).toEqual([]);
  });

  it('answers a failure with JSON, and writes its cause only to the log', async () => {
    const cause = new Error('a secret of the ledger');
    jest.spyOn(gateway.records.ledger, 'listUploads').mockRejectedValue(cause);
    const failed = errorOf(await send({ method: 'GET', path: `${BASE}/snapshot` }));
    expect(failed).toEqual([500, 'failed; the log says why']);
    expect(logged).toEqual([{ err: cause, path: '/_gateway/test/snapshot' }]);
  });

  it('answers an invalid fault with JSON', async () => {
    const body = JSON.stringify({ operation: 'PostObject', delay: { days: 30 } });
    expect(errorOf(await send({ path: FAULTS, body }))).toEqual([
      400,
      'delay: expected at most 2147483647 milliseconds',
    ]);
  });
});

describe('the access to the test controls', () => {
  const get = (headers: OutgoingHttpHeaders, path = `${BASE}/snapshot`): Promise<Received> =>
    send({ method: 'GET', path, headers });

  it.each([
    { Host: 'evil.example' },
    { Host: `127.0.0.1.nip.io` },
    { 'X-Forwarded-For': '203.0.113.7' },
    { Forwarded: 'for=203.0.113.7' },
    { Via: '1.1 proxy' },
    { 'Sec-Fetch-Site': 'cross-site' },
  ])('is refused with %j', async (headers) => {
    const [status, error] = errorOf(await get(headers));
    expect(status).toBe(403);
    expect(error).toContain('the test controls ');
    expect((await get(headers, '/_gateway/health/ready')).status).toBe(200);
  });

  it('is refused with a foreign name in the target', async () => {
    const target = `http://evil.example${BASE}/snapshot`;
    expect(errorOf(await get({ Host: 'localhost' }, target))[0]).toBe(403);
    expect((await get({ Host: 'localhost' }, `http://localhost${BASE}/snapshot`)).status).toBe(200);
  });

  it('is limited when a host application mounts the gateway', async () => {
    server.removeAllListeners('request').on('request', express().use('/ota', gateway.app));
    expect((await get({}, `/ota${BASE}/snapshot`)).status).toBe(200);
    expect(errorOf(await get({ Host: 'evil.example' }, `/ota${BASE}/snapshot`))[0]).toBe(403);
    const target = `http://evil.example/ota${BASE}/snapshot`;
    expect(errorOf(await get({ Host: 'localhost' }, target))[0]).toBe(403);
  });

  it('is allowed inside the process under any name', async () => {
    expect((await gateway.fetch(`${BASE}/snapshot`)).status).toBe(200);
  });
});
