import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import request from 'supertest';
import type { GatewayOptions } from '../../../src/config/config.ts';
import {
  ACCOUNTS,
  ANN,
  CONSOLE,
  FROM_PAGE,
  OPS,
  accountOf,
  challengeOf,
  cookieOf,
  nameFor,
  openSession,
  signIn,
  startConsole,
  statusOf,
} from './console-api.ts';
import type { ConsoleGateway } from './console-api.ts';
import { createGateway } from '../../support/gateways.ts';

let gateway: ConsoleGateway;

beforeAll(async () => {
  gateway = await startConsole();
});
afterAll(() => gateway.close());

describe('a session', () => {
  it('is accepted by the operator API, with the rights of its account', async () => {
    const cookie = await openSession(gateway, ANN);
    const about = request(gateway.app).get('/_gateway/api/about').set({ cookie });
    expect((await about.expect(200)).body.account).toEqual({ id: 'ann', operator: false });
    const usage = request(gateway.app).get('/_gateway/api/usage').set({ cookie });
    expect((await usage.expect(403)).body.error.code).toBe('OperatorOnly');
    expect(await accountOf(gateway, await openSession(gateway, OPS))).toBe('ops');
  });

  it('does not count beside an Authorization header', async () => {
    const cookie = await openSession(gateway, ANN);
    const headers = { cookie, authorization: 'Bearer x' };
    await request(gateway.app).get('/_gateway/api/about').set(headers).expect(401);
    const { body } = await request(gateway.app)
      .get('/_gateway/api/about')
      .set({ cookie })
      .auth(OPS.id, OPS.secret)
      .expect(200);
    expect(body.account.id).toBe('ops');
  });

  it('is found among other cookies', async () => {
    const cookie = await openSession(gateway, ANN);
    const name = nameFor(gateway.bucketKey.id);
    const all = `a=b; ${name}=stale; x${name}=c;${cookie}; z`;
    expect(await accountOf(gateway, all)).toBe('ann');
  });

  it('ends eight hours after it began, by the clock of the machine', async () => {
    const cookie = await openSession(gateway, ANN);
    gateway.wall.advance({ milliseconds: 8 * 3_600_000 - 1 });
    expect(await statusOf(gateway, cookie)).toBe(200);
    gateway.wall.advance({ milliseconds: 1 });
    expect(await statusOf(gateway, cookie)).toBe(401);
    expect(await accountOf(gateway, cookie)).toBeUndefined();
  });

  it('goes on when a test moves the clock of the gateway', async () => {
    const cookie = await openSession(gateway, ANN);
    gateway.clock.advance({ days: 30 });
    expect(await statusOf(gateway, cookie)).toBe(200);
  });

  it('goes on on another node with the same keys', async () => {
    const cookie = await openSession(gateway, ANN);
    await using other = await startConsole({ parts: { wallClock: gateway.wall } });
    expect(await accountOf(other, cookie)).toBe('ann');
  });

  it('ends when it is signed out, and only then is its cookie removed', async () => {
    const [cookie, other] = [await openSession(gateway, ANN), await openSession(gateway, ANN)];
    const signOut = request(gateway.app).delete(`${CONSOLE}/session`).set(FROM_PAGE);
    const response = await signOut.set({ cookie }).expect(200);
    expect(response.body).toEqual({ session: null });
    expect(cookieOf(response)).toBe(`${nameFor(gateway.bucketKey.id)}=`);
    expect(await statusOf(gateway, cookie)).toBe(401);
    expect(await statusOf(gateway, other)).toBe(200);
  });

  it('ends when its browser signs in again', async () => {
    const cookie = await openSession(gateway, ANN);
    const next = cookieOf(await signIn(gateway, OPS, {}, { cookie }));
    expect(await accountOf(gateway, cookie)).toBeUndefined();
    expect(await accountOf(gateway, next)).toBe('ops');
  });

  it('is no session when any part of its cookie is changed', async () => {
    const cookie = await openSession(gateway, ANN);
    const value = cookie.slice(cookie.indexOf('=') + 1);
    const parts = /^(.*)\.(\d+)\.([\da-f]+)\.([\da-f]+)$/.exec(value)?.slice(1) ?? [];
    expect(parts).toHaveLength(4);
    const flip = (text: string): string => text.slice(0, -1) + (text.endsWith('1') ? '2' : '1');
    const wrong = [
      ...parts.map((_part, index) => parts.map((each, n) => (n === index ? flip(each) : each))),
      [OPS.id, ...parts.slice(1)],
      [`%61${(parts[0] ?? '').slice(1)}`, ...parts.slice(1)],
      [parts[0], `0${parts[1] ?? ''}`, ...parts.slice(2)],
      parts.slice(1),
      [...parts, parts[3]],
    ];
    for (const each of wrong) {
      const forged = `${nameFor(gateway.bucketKey.id)}=${each.join('.')}`;
      expect(await accountOf(gateway, forged)).toBeUndefined();
      const response = await request(gateway.app)
        .get('/_gateway/api/about')
        .set({ cookie: forged })
        .expect(401);
      expect(response.body.error.code).toBe('MissingAuthorization');
    }
    expect(await accountOf(gateway, cookie)).toBe('ann');
  });

  it('of another gateway on the same host has another name', async () => {
    await using other = await startConsole({ ossAccessKeyId: 'b', ossAccessKeySecret: 'other' });
    const cookie = await openSession(other, ANN);
    expect(cookie.startsWith(`${nameFor('b')}=`)).toBe(true);
    expect(await accountOf(gateway, cookie)).toBeUndefined();
  });
});

describe('a change with a session', () => {
  const HOST = 'gateway.test:9070';
  const OWN = `http://${HOST}`;
  let cookie: string;

  beforeAll(async () => {
    cookie = await openSession(gateway, ANN);
  });

  const cases: [string, number, Record<string, string>][] = [
    ['with the header and no more', 201, {}],
    ['of our own page', 201, { origin: OWN }],
    ['of our own page behind a proxy with HTTPS', 201, { origin: `https://${HOST}` }],
    [
      'of our own page behind a proxy that changes Host',
      201,
      { origin: 'https://a.test', 'sec-fetch-site': 'same-origin' },
    ],
    ['without the header', 403, { 'x-gateway-console': '' }],
    ['with another value of the header', 403, { 'x-gateway-console': 'yes' }],
    ['of another site', 403, { origin: 'https://example.com' }],
    ['of another port', 403, { origin: 'http://gateway.test:3000' }],
    [
      'of another port of this machine',
      403,
      { host: '127.0.0.1:9070', origin: 'http://127.0.0.1:3000' },
    ],
    ['of a page that hides its origin', 403, { origin: 'null' }],
    ['of the same site', 403, { 'sec-fetch-site': 'same-site' }],
    ['of another site that sends no origin', 403, { 'sec-fetch-site': 'cross-site' }],
    ['whose headers contradict each other', 403, { origin: OWN, 'sec-fetch-site': 'cross-site' }],
  ];

  it.each(cases)('%s has the status %s', async (_what, status, headers) => {
    const sent = { host: HOST, ...FROM_PAGE, cookie, ...headers };
    const grant = request(gateway.app).post('/_gateway/api/grants').set(sent).send({});
    expect((await grant).status).toBe(status);
    const challenge = await challengeOf(gateway);
    const signed = await request(gateway.app)
      .post(`${CONSOLE}/session`)
      .set(sent)
      .send({ id: ANN.id, challenge, proof: '0'.repeat(64) });
    expect(signed.status).toBe(status === 201 ? 401 : 403);
    const left = request(gateway.app)
      .delete(`${CONSOLE}/session`)
      .set({ ...sent, cookie: '' });
    expect((await left).status).toBe(status === 201 ? 200 : 403);
    gateway.monotonic.advance({ minutes: 1 });
  });

  it.each(['/_gateway/api/about', `${CONSOLE}/session`])(
    'reads %s without the header, but not from another page',
    async (path) => {
      const get = (headers: Record<string, string>) =>
        request(gateway.app)
          .get(path)
          .set({ host: HOST, cookie, ...headers });
      await get({}).expect(200);
      await get({ origin: OWN, 'sec-fetch-site': 'same-origin' }).expect(200);
      await get({ 'sec-fetch-site': 'none' }).expect(200);
      await get({ 'sec-fetch-site': 'same-site' }).expect(403);
      await get({ origin: 'http://gateway.test:3000' }).expect(403);
    },
  );

  it('of a page of the public URL is accepted, whatever Host says', async () => {
    await using known = await startConsole({ publicUrl: 'https://gateway.example' });
    const own = await openSession(known, ANN);
    const send = (origin: string) =>
      request(known.app)
        .post('/_gateway/api/grants')
        .set({ ...FROM_PAGE, cookie: own, host: 'upstream:9070', origin })
        .send({});
    await send('https://gateway.example').expect(201);
    await send('http://gateway.example').expect(403);
  });

  it('of a page over HTTP is refused when the client uses HTTPS', async () => {
    await using proxied = await startConsole({ trustedProxies: '127.0.0.1, ::1' });
    const own = await openSession(proxied, ANN);
    const send = (origin: string) =>
      request(proxied.app)
        .post('/_gateway/api/grants')
        .set({ ...FROM_PAGE, cookie: own, host: HOST, origin, 'x-forwarded-proto': 'https' })
        .send({});
    await send(`https://${HOST}`).expect(201);
    await send(OWN).expect(403);
  });
});

describe('the operator API without a session', () => {
  it('accepts our own page under any address, and pages of this machine', async () => {
    const about = (origin: string) =>
      request(gateway.app)
        .get('/_gateway/api/about')
        .set({ host: '192.168.1.5:9070', origin })
        .auth(ANN.id, ANN.secret);
    await about('http://192.168.1.5:9070').expect(200);
    await about('http://localhost:3000').expect(200);
    await about('http://192.168.1.5:3000').expect(403);
  });
});

it('a cookie has the path below which a host application has mounted the gateway', async () => {
  const server = createServer(express().use('/host', gateway.app));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/host`;
    const response = await signIn({ app: url as never }, ANN);
    expect(response.get('set-cookie')?.[0]).toContain('; Path=/host/_gateway/;');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

describe('a gateway with a data folder', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'console-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const start = (options: GatewayOptions = {}) =>
    createGateway({ dataDir: folder, logLevel: 'silent', ...options });
  const keyOf = async () =>
    JSON.parse(await readFile(join(folder, 'credentials.json'), 'utf8')).account;

  it('keeps a session over a restart', async () => {
    const first = await start();
    const cookie = await openSession(first, await keyOf());
    expect(await statusOf(first, cookie)).toBe(200);
    await first.close();
    await using second = await start();
    expect(await statusOf(second, cookie)).toBe(200);
  });

  const fileOf = async (
    gatewayOf: Pick<ConsoleGateway, 'app'>,
    headers: Record<string, string> = {},
  ) => {
    const get = request(gatewayOf.app).get(`${CONSOLE}/session`).set(headers);
    return (await get.expect(200)).body.credentialsFile;
  };

  it('names the file with the generated key to a client on this machine, until it signs in', async () => {
    await using generated = await start();
    expect(await fileOf(generated)).toBe(join(folder, 'credentials.json'));
    expect(await fileOf(generated, { via: '1.1 proxy' })).toBeUndefined();
    // A page of another site may let its own name point to this machine.
    expect(await fileOf(generated, { host: 'rebound.test:9070' })).toBeUndefined();
    const cookie = await openSession(generated, await keyOf());
    expect(await fileOf(generated, { cookie })).toBeUndefined();
  });

  it('names no file that has only the key of the bucket', async () => {
    await using configured = await start({ accessKeyId: 'id', accessKeySecret: 'secret' });
    expect(configured.credentialsFile).toBeDefined();
    expect(await fileOf(configured)).toBeUndefined();
  });

  it.each([
    ['rotated', [{ ...ANN, secret: 'next' }]],
    ['disabled', [{ ...ANN, disabled: true }]],
    ['removed', [{ id: 'another', secret: 's' }]],
    ['made a temporary one', [{ ...ANN, securityToken: 't' }]],
  ])('ends the sessions of an access key that is %s', async (_how, accessKeys) => {
    const accountsFile = join(folder, 'accounts.json');
    const write = (accounts: object) => writeFile(accountsFile, JSON.stringify({ accounts }));
    await write(ACCOUNTS);
    await using read = await start({ accountsFile });
    const [cookie, operator] = [await openSession(read, ANN), await openSession(read, OPS)];
    expect(await statusOf(read, cookie)).toBe(200);
    await write([{ id: 'ann', accessKeys }, ...ACCOUNTS.slice(1)]);
    const reload = request(read.app).post('/_gateway/api/reload');
    await reload.set({ ...FROM_PAGE, cookie: operator }).expect(200);
    expect(await statusOf(read, cookie)).toBe(401);
    expect(await accountOf(read, cookie)).toBeUndefined();
    expect(await statusOf(read, operator)).toBe(200);
  });
});
