import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import request from 'supertest';
import { packageShape } from '../../../src/operator/package-shapes.ts';
import { refusalShape } from '../../../src/operator/shapes.ts';
import { uploadShape } from '../../../src/operator/upload-shapes.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import type { Account } from '../../../src/accounts/accounts.ts';
import { accountsText } from '../../support/accounts.ts';
import { eventually } from '../../support/built-gateway.ts';
import { folderForEachTest } from '../../support/suite.ts';
import { signV1 } from '../iot/api.ts';
import { ANN, BASE, BOB, OPS, call, startWithOperator } from './operator-api.ts';
import type { Key } from './operator-api.ts';
import { createGateway } from '../../support/gateways.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startWithOperator();
});

afterEach(() => gateway.close());

interface Received {
  readonly id: string | undefined;
  readonly type: string | undefined;
  readonly data: unknown;
}

/** A client of the event stream. */
class Watcher {
  readonly response: IncomingMessage;
  text = '';

  constructor(response: IncomingMessage) {
    this.response = response;
    response.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
    });
    response.on('error', () => undefined);
  }

  get events(): Received[] {
    return this.text.split('\n\n').flatMap((block) => {
      const fields = new Map(
        block
          .split('\n')
          .map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]),
      );
      const data = fields.get('data');
      return data === undefined
        ? []
        : [{ id: fields.get('id'), type: fields.get('event'), data: JSON.parse(data) }];
    });
  }

  /** Waits for a number of events. */
  async next(count: number): Promise<Received[]> {
    await eventually(() => this.events.length >= count);
    return this.events;
  }
}

async function watch(
  key: Key,
  path = '/events',
  headers: Record<string, string> = {},
): Promise<Watcher> {
  const { url } = await gateway.listen();
  return watchAt(url, key, path, headers);
}

async function watchAt(
  url: string,
  key: Key,
  path = '/events',
  headers: Record<string, string> = {},
): Promise<Watcher> {
  const sent = get(`${url}${BASE}${path}`, {
    auth: `${key.id}:${key.secret}`,
    headers,
    agent: false,
  });
  const [response]: IncomingMessage[] = await once(sent, 'response');
  if (response === undefined) throw new Error('no response');
  return new Watcher(response);
}

async function store(key: Key): Promise<string> {
  const { body: grant } = await call(gateway, key, 'post', '/grants').send({}).expect(201);
  await request(gateway.app)
    .post('/')
    .field(grant.fields)
    .attach('file', Buffer.from('x'), 'a')
    .expect(200);
  return grant.key;
}

/** Sends a claim that is refused. */
async function refuseClaim(key: Key, firmwareUrl = 'http://other.test/a.bin'): Promise<void> {
  const claim = { FirmwareName: 'refused', DestVersion: '1', FirmwareUrl: firmwareUrl };
  const pairs = signV1('CreateOTAFirmware', claim, { key, time: gateway.clock.now() });
  await request(gateway.app).get('/').query(pairs);
}

it('tells the life of an upload as it happens', async () => {
  const watcher = await watch(ANN, '/events?types=upload,package');
  expect(watcher.response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const key = await store(ANN);
  const claimed = { name: 'pump', version: '1', keys: [key] };
  const { body: made } = await call(gateway, ANN, 'post', '/packages').send(claimed).expect(201);
  await call(gateway, ANN, 'delete', `/packages/${made.firmwareId}`).expect(200);
  await call(gateway, OPS, 'post', '/purge').expect(200);
  const events = await watcher.next(7);
  expect(events.map(({ data, type }) => [type, Object(data).state ?? Object(data).name])).toEqual([
    ['upload', 'issued'],
    ['upload', 'stored'],
    ['package', 'pump'],
    ['upload', 'claimed'],
    ['package', 'pump'],
    ['upload', 'purging'],
    ['upload', 'purged'],
  ]);
  for (const { data, type } of events) {
    if (type === 'upload') expect(uploadShape.strict().parse(data)).toMatchObject({ key });
    else packageShape.parse(data);
  }
  expect(events[4]?.data).toMatchObject({ deleted: true });
});

it('tells the time when the clock is moved', async () => {
  await gateway.close();
  gateway = await startWithOperator({ testMode: true });
  const watcher = await watch(OPS, '/events?types=usage');
  const body = { minutes: 61 };
  const { time } = (
    await request(gateway.app).post('/_gateway/test/clock/advance').send(body).expect(200)
  ).body;
  expect(await watcher.next(1)).toMatchObject([{ type: 'usage', data: { at: time } }]);
});

it('tells every change of uploads and packages by the IoT API, OSS and the purge', async () => {
  await gateway.close();
  gateway = await startWithOperator({ claimedRetention: '1h' });
  const watcher = await watch(OPS, '/events?types=upload,package');
  const { api, uploads } = gateway;
  const grant = await api.generateOTAUploadURL();
  await gateway.postObject(grant, 'a');
  const product = 'a1Kw8MmI2dO';
  const { firmwareId } = await api.createOTAFirmware({
    ...{ firmwareUrl: grant.firmwareUrl, firmwareName: 'one', destVersion: '1' },
    productKey: product,
  });
  await api.call('ModifyOTAFirmware', {
    ...{ FirmwareId: firmwareId, ProductKey: product, FirmwareName: 'two' },
  });
  await uploads.setStatus(firmwareId, { status: 'verified' });
  await api.call('DeleteOTAFirmware', { FirmwareId: firmwareId });
  const shown = ({ data, type }: Received) => {
    const { deleted, name, state, status } = Object(data);
    return `${String(type)} ${String(state ?? `${String(name)} ${String(deleted ? 'deleted' : status)}`)}`;
  };
  expect((await watcher.next(8)).map(shown)).toEqual([
    ...['upload issued', 'upload stored', 'package one unverified', 'upload claimed'],
    ...['package two unverified', 'package two verified'],
    ...['package two deleted', 'upload purging'],
  ]);
  await gateway.purgeUnclaimed();
  const { key, object } = await uploads.deposit({
    bytes: Readable.from([Buffer.from('b')]),
    accountId: 'ann',
  });
  await uploads.withdraw({ key, object });
  const kept = await uploads.deposit({
    bytes: Readable.from([Buffer.from('c')]),
    accountId: 'ann',
  });
  await uploads.claim({
    ...{ name: 'old', destVersion: '2', accountId: 'ann' },
    files: [{ key: kept.key }],
  });
  gateway.clock.advance({ minutes: 61 });
  await gateway.purgeUnclaimed();
  expect((await watcher.next(17)).map(shown).slice(8)).toEqual([
    ...['upload purged', 'upload stored', 'upload purging'],
    ...['upload stored', 'package old notNeeded', 'upload claimed'],
    ...['upload purged', 'package old deleted', 'upload purging', 'upload purged'],
  ]);
});

it('is refused to a client without an access key', async () => {
  const { body } = await request(gateway.app).get(`${BASE}/events`).expect(401);
  expect(body.error.code).toBe('MissingAuthorization');
});

it('tells an account nothing of another one, whatever happens, also when it comes back', async () => {
  const bob = await watch(BOB);
  await call(gateway, BOB, 'post', '/grants').send({}).expect(201);
  const [{ id = '' } = {}] = await bob.next(1);
  const all = await watch(OPS, '/events?types=upload,package,refusal,request,lost');
  const key = await store(ANN);
  const claimed = { name: 'pump', version: '1', keys: [key] };
  const { body: made } = await call(gateway, ANN, 'post', '/packages').send(claimed).expect(201);
  await refuseClaim(ANN);
  await call(gateway, ANN, 'delete', `/packages/${made.firmwareId}`).expect(200);
  await call(gateway, OPS, 'post', '/purge').expect(200);
  await eventually(() => all.events.some(({ data }) => Object(data).state === 'purged'));
  // The last event of all: once it is there, all others are.
  const last = await store(BOB);
  const isLast = ({ data, type }: Received) =>
    type === 'upload' && Object(data).key === last && Object(data).state === 'stored';
  await eventually(() => bob.events.some(isLast));
  const back = await watch(BOB, '/events', { 'Last-Event-ID': id });
  await eventually(() => back.events.some(isLast));
  const kinds = new Set(all.events.map(({ type }) => type));
  expect(kinds).toEqual(new Set(['upload', 'package', 'refusal', 'request']));
  for (const { data, type } of [...bob.events, ...back.events]) {
    expect(['upload', 'request']).toContain(type);
    expect(JSON.stringify(data)).not.toMatch(/ann|pump|ops/);
    expect(JSON.stringify(data)).not.toContain(key);
  }
});

it('shows a refusal as the list does', async () => {
  const watcher = await watch(ANN, '/events?types=refusal');
  await refuseClaim(ANN);
  const [{ data } = {}] = await watcher.next(1);
  const { body } = await call(gateway, ANN, 'get', '/refusals').expect(200);
  expect(refusalShape.strict().parse(data)).toEqual(body.items[0]);
});

it('says that events are lost to a client that comes back to another run of the gateway', async () => {
  const first = await watch(OPS, '/events?types=upload');
  await store(ANN);
  const events = await first.next(2);
  await gateway.close();
  gateway = await startWithOperator();
  await watch(OPS);
  await store(ANN);
  const headers = { 'Last-Event-ID': events[0]?.id ?? '' };
  const second = await watch(OPS, '/events?types=upload', headers);
  expect((await second.next(1)).map(({ type }) => type)).toEqual(['lost']);
});

it('tells an account nothing of another one', async () => {
  const [ann, all] = [
    await watch(ANN, '/events?types=upload'),
    await watch(OPS, '/events?types=upload'),
  ];
  const theirs = await store(BOB);
  const own = await store(ANN);
  expect((await all.next(4)).map(({ data }) => Object(data).key)).toEqual([
    theirs,
    theirs,
    own,
    own,
  ]);
  expect((await ann.next(2)).map(({ data }) => Object(data).key)).toEqual([own, own]);
});

it('tells an account the refused forms of its own keys, and calls of nobody else', async () => {
  const [ann, bob] = [
    await watch(ANN, '/events?types=refusal,request'),
    await watch(BOB, '/events?types=refusal,request'),
  ];
  const { body: grant } = await call(gateway, BOB, 'post', '/grants').send({}).expect(201);
  await refuseClaim(ANN, grant.firmwareUrl);
  const fields = { ...grant.fields, signature: 'wrong' };
  await request(gateway.app)
    .post('/')
    .field(fields)
    .attach('file', Buffer.from('x'), 'a')
    .expect(403);
  const [code, operation] = ['SignatureDoesNotMatch', 'PostObject'];
  const own = { account: 'bob', key: grant.key, code, operation, dialect: 'oss' };
  expect(await bob.next(3)).toMatchObject([
    { type: 'request', data: { account: 'bob', operation: 'POST grants' } },
    { type: 'refusal', data: own },
    { type: 'request', data: own },
  ]);
  expect(await ann.next(2)).toMatchObject([
    { type: 'refusal', data: { account: 'ann', operation: 'CreateOTAFirmware' } },
    { type: 'request', data: { account: 'ann', operation: 'CreateOTAFirmware' } },
  ]);
  const { body } = await call(gateway, BOB, 'get', '/refusals').expect(200);
  expect(body.items).toMatchObject([own]);
  expect([ann, bob].map(({ events }) => events.length)).toEqual([2, 3]);
});

it('tells requests in the order in which they ended, however long the ledger takes', async () => {
  const { body: grant } = await call(gateway, BOB, 'post', '/grants').send({}).expect(201);
  const watcher = await watch(OPS, '/events?types=refusal,request');
  const { ledger } = gateway.records;
  const find = ledger.findUpload.bind(ledger);
  let goOn = (): void => undefined;
  const isLater = new Promise<void>((resolve) => (goOn = resolve));
  jest.spyOn(ledger, 'findUpload').mockImplementation(async (key) => {
    if (key === grant.key) await isLater;
    return find(key);
  });
  const form = request(gateway.app)
    .post('/')
    .field({ ...grant.fields, signature: 'wrong' });
  await form.attach('file', Buffer.from('x'), 'a').expect(403);
  await refuseClaim(ANN);
  goOn();
  const told = await watcher.next(4);
  expect(told.map(({ data, type }) => [type, Object(data).operation])).toEqual([
    ['refusal', 'PostObject'],
    ['request', 'PostObject'],
    ['refusal', 'CreateOTAFirmware'],
    ['request', 'CreateOTAFirmware'],
  ]);
});

it('continues after the last event that a client has received', async () => {
  const first = await watch(OPS, '/events?types=upload');
  await store(ANN);
  const [issued] = await first.next(2);
  first.response.destroy();
  await store(BOB);
  const second = await watch(OPS, '/events?types=upload', { 'Last-Event-ID': issued?.id ?? '' });
  expect((await second.next(3)).map(({ data }) => Object(data).state)).toEqual([
    'stored',
    'issued',
    'stored',
  ]);
});

describe('with an accounts file', () => {
  const folder = folderForEachTest();
  const bob: Account = { id: 'bob', accessKeys: [BOB] };

  const write = (ann: Omit<Account, 'id'>) =>
    writeFile(join(folder.path, 'accounts.json'), accountsText([{ id: 'ann', ...ann }, bob]));

  it.each<[string, Omit<Account, 'id'>]>([
    ['is disabled', { operator: true, accessKeys: [{ ...ANN, disabled: true }] }],
    ['is removed', { operator: true, accessKeys: [OPS] }],
    ['has another secret', { operator: true, accessKeys: [{ ...ANN, secret: 'new' }] }],
    ['is not of an operator any more', { accessKeys: [ANN] }],
  ])('ends when the accounts are read again and its access key %s', async (_how, changed) => {
    await write({ operator: true, accessKeys: [ANN] });
    await using own = await createGateway({
      ...{ dataDir: join(folder.path, 'data'), accountsFile: join(folder.path, 'accounts.json') },
      ...{ ossAccessKeyId: 'bucket', ossAccessKeySecret: 'secret', port: 0 },
    });
    const { url } = await own.listen();
    const [gone, other] = [await watchAt(url, ANN), await watchAt(url, BOB)];
    const ended = once(gone.response, 'end');
    await write(changed);
    own.reloadAccounts();
    await ended;
    expect(other.response.readableEnded).toBe(false);
    other.response.destroy();
  });
});

it('ends when the gateway stops, and does not keep it from stopping', async () => {
  const watcher = await watch(OPS);
  const ended = once(watcher.response, 'end');
  await gateway.close();
  await ended;
});

it('refuses a type that does not exist', async () => {
  const { body } = await call(gateway, OPS, 'get', '/events?types=upload,none').expect(400);
  expect(body.error.code).toBe('InvalidRequest');
});
