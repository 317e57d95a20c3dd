import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import request from 'supertest';
import type { Test } from 'supertest';
import type { GatewayOptions } from '../../../src/config/config.ts';
import type { Gateway, Records } from '../../../src/gateway.ts';
import { collectRequestLines } from '../../support/request-lines.ts';
import { folderForSuite } from '../../support/suite.ts';
import { createGateway, openRecords } from '../../support/gateways.ts';

const { first: lineOf, lines, logger } = collectRequestLines();

const TOKEN = 'metrics-token';
const folder = folderForSuite();
let gateway: Gateway;

/** Starts a gateway with a data folder of its own. */
async function start(
  name: string,
  settings: GatewayOptions = {},
  records?: Records,
): Promise<Gateway> {
  return createGateway(
    {
      ...{ dataDir: join(folder.path, name), port: 0, minFree: 0, metricsToken: TOKEN },
      ...{ accessKeyId: 'id', accessKeySecret: 'secret', ...settings },
    },
    { logger, records: records ?? (await openRecords()) },
  );
}

beforeAll(async () => {
  gateway = await start('data');
});
afterAll(() => gateway.close());

type Method = 'get' | 'post' | 'delete';

/** Sends a request to the operator API of a gateway. @param path - below `/_gateway/api` */
function call({ app }: Gateway, method: Method, path: string): Test {
  return request(app)[method](`/_gateway/api${path}`).auth('id', 'secret');
}

/** Stores a file without a request. @returns its key */
async function store(): Promise<string> {
  const { key } = await gateway.uploads.deposit({ bytes: Readable.from([Buffer.from('x')]) });
  return key;
}

async function scrape(): Promise<string> {
  const { text } = await request(gateway.app)
    .get('/_gateway/metrics')
    .set('Authorization', `Bearer ${TOKEN}`);
  return text;
}

/** @returns how many requests have a code, by the metrics */
async function counted(): Promise<number> {
  const refusals = (await scrape()).match(/^ota_gateway_refusals_total\{dialect="operator".*$/gm);
  return (refusals ?? []).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const wrongSecret = `Basic ${Buffer.from('id:wrong').toString('base64')}`;

it.each([
  ['GET', '/metrics', '', 'GET metrics: Unauthorized (anonymous)', 401],
  ['POST', '/test/clock', '', 'POST test: Forbidden (forbidden)', 403],
  ['GET', '/nothing', '', 'GET nothing: NotFound (not_found)', 404],
  ['GET', '/api/events', '', 'GET events: MissingAuthorization (anonymous)', 401],
  ['GET', '/api/about', wrongSecret, 'GET about: InvalidAccessKeySecret (signature_mismatch)', 401],
  [
    'GET',
    '/api/about',
    'Basic eDp5',
    'GET about: InvalidAccessKeyId.NotFound (unknown_access_key)',
    401,
  ],
])('a refused %s %s with %j has one line and is counted', async (...row) => {
  const [method, path, authorization, text, status] = row;
  const before = await counted();
  const agent = request(gateway.app);
  const sent = method === 'GET' ? agent.get(`/_gateway${path}`) : agent.post(`/_gateway${path}`);
  expect((await sent.set('Authorization', authorization)).status).toBe(status);
  expect(await lineOf()).toMatchObject({ text, status, dialect: 'operator' });
  expect(lines).toHaveLength(1);
  expect(await counted()).toBe(before + 1);
});

it('health checks and scrapes have no line', async () => {
  await request(gateway.app).get('/_gateway/health/live').expect(200);
  await request(gateway.app).get('/_gateway/health/ready').expect(200);
  await counted();
  await request(gateway.app).get('/_gateway/nothing');
  expect(await lineOf()).toMatchObject({ text: 'GET nothing: NotFound (not_found)' });
});

it('a client that is gone during the body of its call has a line that names no change', async () => {
  const { port } = await gateway.listen();
  const socket = connect(port, '127.0.0.1');
  const authorization = `Basic ${Buffer.from('id:secret').toString('base64')}`;
  socket.write(
    `POST /_gateway/api/grants HTTP/1.1\r\nHost: h\r\nAuthorization: ${authorization}\r\n` +
      'Expect: 100-continue\r\nContent-Length: 99\r\n\r\n',
  );
  await once(socket, 'data');
  socket.resetAndDestroy();
  const found = await lineOf();
  expect(found).toMatchObject({ text: 'POST grants: ClientVanished (incomplete)', status: 0 });
  expect(found).not.toHaveProperty('to');
});

it('a client that is gone while its change is carried out has a line with the change', async () => {
  const records = await openRecords();
  await using own = await start('gone', {}, records);
  const { key } = await own.uploads.deposit({ bytes: Readable.from([Buffer.from('x')]) });
  let gone: Promise<unknown> | undefined;
  const server = createServer((received, response) => {
    gone = once(response, 'close');
    own.app(received, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = Object(server.address());
  const path = `/_gateway/api/uploads/${encodeURIComponent(key)}`;
  const sent = get({ port, path, method: 'DELETE', auth: 'id:secret', agent: false });
  sent.on('error', () => undefined);
  const { ledger } = records;
  const remove = ledger.deleteUpload.bind(ledger);
  jest.spyOn(ledger, 'deleteUpload').mockImplementation(async (...given) => {
    sent.destroy();
    await gone;
    return remove(...given);
  });
  expect(await lineOf()).toMatchObject({
    ...{ text: 'DELETE uploads: stored -> purging, the client was gone', key, status: 0 },
    ...{ code: 'OK', from: 'stored', to: 'purging' },
  });
  expect(lines).toHaveLength(1);
  server.close();
});

const named = { name: 'pump', version: '1.0.0' };

it('the form of a package that reaches a limit of bytes has the reason limit', async () => {
  await using limited = await start('limited', { maxAccountBytes: 1 });
  const sent = call(limited, 'post', '/packages').field(named);
  await sent.attach('file', Buffer.from('two'), 'a.bin').expect(429);
  expect(await lineOf()).toMatchObject({ text: 'POST packages: Limit (limit)' });
});

it('the form of a package that finds a full disk has the reason disk_full', async () => {
  await using full = await start('full', { minFree: '1000000GB' });
  const sent = call(full, 'post', '/packages').field(named);
  await sent.attach('file', Buffer.alloc(600_000), 'a.bin').expect(503);
  expect(await lineOf()).toMatchObject({ text: 'POST packages: Full (disk_full)' });
});

it('a package that the platform refuses has its reason and the keys that were named', async () => {
  const key = 'ota/nothing.bin';
  await call(gateway, 'post', '/packages')
    .send({ ...named, keys: [key] })
    .expect(409);
  expect(await lineOf()).toMatchObject({
    text: 'POST packages: iot.firmware.InvalidFirmwareUrl (claim_unknown)',
    key,
  });
});

it('a signed form has a line with its key', async () => {
  const { body } = await call(gateway, 'post', '/grants').send({}).expect(201);
  expect(await lineOf()).toMatchObject({ text: 'POST grants: new -> issued', key: body.key });
});

it('a package of several keys has one line with all of them, also when it is deleted', async () => {
  const keys = [await store(), await store()];
  const claimed = call(gateway, 'post', '/packages').send({ ...named, keys });
  const { body } = await claimed.expect(201);
  expect(await lineOf()).toMatchObject({ text: 'POST packages: stored -> claimed', keys });
  lines.length = 0;
  await call(gateway, 'delete', `/packages/${String(body.firmwareId)}`).expect(200);
  expect(await lineOf()).toMatchObject({ text: 'DELETE packages: claimed -> purging', keys });
});

it('the package of a form has a line with the key that its file has got', async () => {
  const sent = call(gateway, 'post', '/packages').field({ ...named, name: 'valve' });
  const { body } = await sent.attach('file', Buffer.from('x'), 'a.bin').expect(201);
  const { key } = body.files[0];
  expect(await lineOf()).toMatchObject({ text: 'POST packages: new -> claimed', key });
});

it('a deleted upload has a line with the state that it had', async () => {
  const key = await store();
  await call(gateway, 'delete', `/uploads/${encodeURIComponent(key)}`).expect(200);
  expect(await lineOf()).toMatchObject({ text: 'DELETE uploads: stored -> purging', key });
});

it.each(['/events', '/events/', '/Events'])(
  'a client that leaves %s has no line, and is not in flight while it listens',
  async (path) => {
    const server = createServer(gateway.app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connected = once(server, 'connection');
    const { port } = Object(server.address());
    const sent = get({ port, path: `/_gateway/api${path}`, auth: 'id:secret', agent: false });
    const [response] = await once(sent, 'response');
    const inFlight = /^ota_gateway_requests_in_flight\{dialect="operator"\} .*$/m.exec(
      await scrape(),
    );
    const [socket] = await connected;
    const closed = once(socket, 'close');
    response.on('error', () => undefined).destroy();
    await closed;
    await setImmediate();
    server.close();
    expect(lines).toEqual([]);
    expect(inFlight?.[0].split(' ')[1]).toBe('0');
  },
);
