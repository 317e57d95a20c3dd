import { connect } from 'node:net';
import request from 'supertest';
import type { TestGateway } from '../../../src/testing/index.ts';
import { collectRequestLines } from '../../support/request-lines.ts';
import { exchangeRaw, rawRequest } from '../../support/raw-exchange.ts';
import {
  ANN,
  BASE,
  OPS,
  call,
  signedHeaders,
  startWithOperator,
  uploadPath,
} from './operator-api.ts';
import type { SignedParts } from './operator-api.ts';

const requestLines = collectRequestLines();
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startWithOperator({ parts: { logger: requestLines.logger } });
});

afterAll(() => gateway.close());

function errorOf(code: string, message?: string) {
  return {
    error: expect.objectContaining({
      code,
      ...(message !== undefined && { message: expect.stringContaining(message) }),
    }),
  };
}

describe('HTTP Basic', () => {
  it('shows who calls, on this machine', async () => {
    const { body } = await call(gateway, ANN, 'get', '/about').expect(200);
    expect(body).toMatchObject({ account: { id: 'ann', operator: false }, testMode: false });
    const { body: operator } = await call(gateway, OPS, 'get', '/about').expect(200);
    expect(operator.account).toEqual({ id: 'ops', operator: true });
    expect(operator.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each([
    ['without any credentials', {}, 'MissingAuthorization'],
    ['with another scheme', { authorization: 'Bearer x' }, 'MissingAuthorization'],
    ['without a colon', { authorization: `Basic ${btoa('x')}` }, 'InvalidAuthorization'],
    [
      'with an unknown key',
      { authorization: `Basic ${btoa('x:y')}` },
      'InvalidAccessKeyId.NotFound',
    ],
    [
      'with a wrong secret',
      { authorization: `Basic ${btoa('ann-key:no')}` },
      'InvalidAccessKeySecret',
    ],
    [
      'with a disabled key',
      { authorization: `Basic ${btoa('off-key:off-secret')}` },
      'InvalidAccessKeyId.Inactive',
    ],
  ])('is refused %s', async (_how, headers, code) => {
    const response = await request(gateway.app).get(`${BASE}/about`).set(headers).expect(401);
    expect(response.body).toEqual(errorOf(code));
    expect(response.get('www-authenticate')).toBe('ACS3-HMAC-SHA256');
  });

  it.each([
    ['x-forwarded-for', '127.0.0.1'],
    ['forwarded', 'for=127.0.0.1'],
    ['via', '1.1 proxy'],
  ])('is refused through a proxy, which %s gives away', async (name, value) => {
    const { body } = await call(gateway, ANN, 'get', '/about').set(name, value).expect(403);
    expect(body).toEqual(errorOf('InsecureBasic', `through a proxy (${name})`));
  });

  it.each([
    ['origin', 'https://example.com'],
    ['sec-fetch-site', 'cross-site'],
  ])('is refused from a web page of another site (%s)', async (name, value) => {
    const { body } = await call(gateway, ANN, 'get', '/about').set(name, value).expect(403);
    expect(body).toEqual(errorOf('ForeignPage'));
  });

  it('is accepted over HTTPS that a trusted proxy reports, and not over HTTP', async () => {
    await using proxied = await startWithOperator({ trustedProxies: ['127.0.0.0/8'] });
    const through = (proto: string) =>
      call(proxied, ANN, 'get', '/about').set({
        'x-forwarded-for': '203.0.113.9',
        'x-forwarded-proto': proto,
      });
    await through('https').expect(200);
    await through('http').expect(403);
  });
});

it.each([
  ['a page of another host', { origin: 'https://example.com' }, '/about', 'ForeignPage'],
  ['Basic through a proxy', { via: '1.1 proxy' }, '/about', 'InsecureBasic'],
  ['what only an operator may do', {}, '/usage', 'OperatorOnly'],
])('refuses %s with the reason forbidden', async (_what, headers, path, code) => {
  await call(gateway, ANN, 'get', path).set(headers).expect(403);
  expect(await requestLines.first()).toMatchObject({ code, reason: 'forbidden' });
});

it.each([
  [{ authorization: `Basic ${btoa('x')}` }, 'InvalidAuthorization', 'parameter'],
  [{}, 'MissingAuthorization', 'anonymous'],
])('refuses the credentials %j with %s and the reason %s', async (headers, code, reason) => {
  await request(gateway.app).get(`${BASE}/about`).set(headers).expect(401);
  expect(await requestLines.first()).toMatchObject({ code, reason });
});

describe('a signed request', () => {
  const send = (method: 'get' | 'post' | 'delete', target: string, parts: SignedParts = {}) => {
    const now = gateway.clock.now();
    const agent = request(gateway.app);
    return agent[method](target).set(
      signedHeaders(ANN, method.toUpperCase(), target, { now, ...parts }),
    );
  };

  it('is accepted, also through a proxy', async () => {
    const { body } = await send('get', `${BASE}/about`)
      .set('x-forwarded-for', '203.0.113.9')
      .expect(200);
    expect(body.account.id).toBe('ann');
  });

  it('signs its query and the encoded path of a key', async () => {
    await send('get', `${BASE}/uploads?limit=5`).expect(200);
    await send('get', `${BASE}/uploads/a%2Fb`).expect(404);
  });

  it('is accepted when a proxy has decoded the path of a key on its way', async () => {
    const headers = signedHeaders(ANN, 'GET', `${BASE}/uploads/a%2Fb`, {
      now: gateway.clock.now(),
    });
    const { body } = await request(gateway.app).get(`${BASE}/uploads/a/b`).set(headers).expect(404);
    expect(body).toEqual(errorOf('UploadNotFound'));
  });

  it('signs the bytes of its body', async () => {
    const body = '{"suffix":"zip"}';
    await send('post', `${BASE}/grants`, { body }).send(body).expect(201);
    const other = await send('post', `${BASE}/grants`, { body })
      .send('{"suffix":"tar"}')
      .expect(401);
    expect(other.body).toEqual(errorOf('SignatureDoesNotMatch', 'body'));
    await send('post', `${BASE}/grants`, { body }).expect(401);
  });

  it.each([
    [
      'the path of another route',
      { change: { 'x-acs-action': `GET ${BASE}/usage` } },
      'InvalidAction',
    ],
    ['another method', { change: { 'x-acs-action': `POST ${BASE}/about` } }, 'InvalidAction'],
    ['another version', { change: { 'x-acs-version': '2020-01-01' } }, 'InvalidVersion'],
    [
      'an old date',
      { change: { 'x-acs-date': '2020-01-01T00:00:00Z' } },
      'InvalidTimeStamp.Expired',
    ],
    ['a malformed date', { change: { 'x-acs-date': 'today' } }, 'InvalidTimeStamp.Format'],
    [
      'a long nonce',
      { change: { 'x-acs-signature-nonce': 'n'.repeat(129) } },
      'InvalidSignatureNonce',
    ],
  ])('is refused with %s', async (_what, parts, code) => {
    const { body } = await send('get', `${BASE}/about`, parts).expect(401);
    expect(body).toEqual(errorOf(code));
  });

  it('is refused when it is changed after it was signed', async () => {
    const sent = send('get', `${BASE}/about`).set('x-acs-signature-nonce', 'another');
    expect((await sent.expect(401)).body).toEqual(errorOf('SignatureDoesNotMatch'));
  });

  it('is refused when it is sent again, and when a call of the IoT API is sent instead', async () => {
    const headers = signedHeaders(ANN, 'GET', `${BASE}/about`, { now: gateway.clock.now() });
    await request(gateway.app).get(`${BASE}/about`).set(headers).expect(200);
    const again = await request(gateway.app).get(`${BASE}/about`).set(headers).expect(401);
    expect(again.body).toEqual(errorOf('SignatureNonceUsed'));
    const change = { 'x-acs-action': 'GenerateOTAUploadURL' };
    expect((await send('get', `${BASE}/about`, { change }).expect(401)).body).toEqual(
      errorOf('InvalidAction'),
    );
  });
});

describe('an account that is no operator', () => {
  it.each([
    ['get', '/usage'],
    ['get', '/accounts'],
    ['post', '/purge'],
    ['post', '/reload'],
  ] as const)('may not %s %s', async (method, path) => {
    const { body } = await call(gateway, ANN, method, path).expect(403);
    expect(body).toEqual(errorOf('OperatorOnly'));
    expect(body.error.hint).toContain('"operator": true');
  });

  it('may not act for another account', async () => {
    await call(gateway, ANN, 'post', '/grants').send({ account: 'bob' }).expect(403);
    const { body } = await call(gateway, OPS, 'post', '/grants')
      .send({ account: 'bob' })
      .expect(201);
    await call(gateway, ANN, 'get', uploadPath(body.key)).expect(404);
    await call(gateway, OPS, 'get', uploadPath(body.key)).expect(200);
  });
});

describe('a request that nothing handles', () => {
  it('says so', async () => {
    expect((await call(gateway, ANN, 'get', '/nothing').expect(404)).body).toEqual(
      errorOf('RouteNotFound'),
    );
    expect((await call(gateway, ANN, 'get', '/uploads?limit=x&y=1').expect(400)).body).toEqual(
      errorOf('InvalidRequest'),
    );
    const broken = call(gateway, ANN, 'post', '/grants')
      .set('content-type', 'application/json')
      .send('{');
    expect((await broken.expect(400)).body).toEqual(errorOf('InvalidRequest'));
    const long = JSON.stringify({ suffix: 'x'.repeat(70_000) });
    const large = call(gateway, ANN, 'post', '/grants').send(long);
    expect((await large.expect(413)).body).toEqual(errorOf('TooLarge'));
  });

  it('is refused before its body arrives when its key is wrong', async () => {
    const { port } = await gateway.listen();
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST ${BASE}/packages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${btoa('ann-key:no')}\r\n` +
        'Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000000\r\n\r\n',
    );
    const [head] = await new Promise<Buffer[]>((resolve) => {
      socket.once('data', (bytes: Buffer) => {
        resolve([bytes]);
      });
    });
    socket.destroy();
    expect(head?.toString()).toMatch(/^HTTP\/1\.1 401 .*InvalidAccessKeySecret/s);
  });

  it('does not break the connection of one that sends no body', async () => {
    const { port } = await gateway.listen();
    const answer = await exchangeRaw(port, rawRequest(`GET ${BASE}/about`, { Host: 'localhost' }));
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
  });
});
