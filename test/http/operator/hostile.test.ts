import request from 'supertest';
import type { TestGateway } from '../../../src/testing/index.ts';
import { ANN, BASE, BOB, OPS, call, startWithOperator, uploadPath } from './operator-api.ts';

let gateway: TestGateway;
let key: string;
let firmwareId: string;

/** Bob has a package, Ann tries to get at it. */
beforeAll(async () => {
  gateway = await startWithOperator();
  const { body } = await call(gateway, BOB, 'post', '/packages')
    .field({ name: 'theirs', version: '1' })
    .attach('file', Buffer.from('b'), 'b.bin')
    .expect(201);
  firmwareId = body.firmwareId;
  key = body.files[0].key;
}, 20_000);

afterAll(() => gateway.close());

describe('what belongs to another account', () => {
  it.each<['get' | 'delete', string, (path: string) => string]>([
    ['get', 'an upload', () => uploadPath(key)],
    ['delete', 'an upload', () => uploadPath(key)],
    ['get', 'a package', () => `/packages/${firmwareId}`],
    ['delete', 'a package', () => `/packages/${firmwareId}`],
    ['get', 'the links of a package', () => `/packages/${firmwareId}/urls`],
    ['get', 'a key', () => `/resolve?reference=${encodeURIComponent(key)}`],
    ['get', 'the name of a package', () => '/resolve?reference=theirs'],
  ])('is answered to a %s of %s like what does not exist', async (method, _what, path) => {
    const theirs = await call(gateway, ANN, method, path('')).expect(404);
    const absent = path('').replace(encodeURIComponent(key), 'x').replace(firmwareId, 'x');
    const nothing = await call(gateway, ANN, method, absent.replace('theirs', 'x')).expect(404);
    expect(theirs.body.error.code).toBe(nothing.body.error.code);
  });

  it('is in no list, and cannot be claimed', async () => {
    for (const path of ['/uploads?account=bob', '/packages?account=bob', '/refusals?account=bob'])
      expect((await call(gateway, ANN, 'get', path).expect(200)).body.items).toEqual([]);
    const claim = (keys: string[]) =>
      call(gateway, ANN, 'post', '/packages').send({ name: 'mine', version: '1', keys });
    const theirs = await claim([key]).expect(409);
    const absent = await claim(['x']).expect(409);
    expect(theirs.body.error.code).toBe(absent.body.error.code);
    await claim([key])
      .send({ name: 'm', version: '1', keys: [key], account: 'bob' })
      .expect(403);
  });
});

it.each([
  ['a cursor that is garbage', '/uploads?after=%00', 400],
  ['a huge cursor', '/uploads?after=zzzzzzzzzzz', 200],
  ['a cursor that is too long', '/packages?after=zzzzzzzzzzzz', 400],
  ['a negative limit', '/uploads?limit=-1', 400],
  ['a huge limit', '/refusals?limit=1001', 400],
  ['a duration that never ends', '/uploads?olderThan=Infinity', 400],
  ['a text that is too long', `/uploads?q=${'x'.repeat(1024)}`, 400],
  ['a member of every object', '/uploads?__proto__=1', 400],
  ['a key with broken encoding', '/uploads/%E0%A4%A', 400],
  ['U+0000 in a search', '/uploads?q=a%00', 400],
  ['U+0000 in the name of an account', '/packages?account=%00', 400],
  ['U+0000 in a reference', '/resolve?reference=a%00', 400],
  ['U+0000 in the encoded key of a reference', '/resolve?reference=a%2500', 404],
  ['U+0000 in a key', '/uploads/a%00', 400],
  ['U+0000 in the id of a package', '/packages/a%00', 400],
  ['a key that climbs', '/uploads/..%2F..%2Fetc%2Fpasswd', 404],
])('answers %s', async (_what, path, status) => {
  await call(gateway, OPS, 'get', path).expect(status);
});

it.each([
  ['a bomb of brackets', 'application/json', '['.repeat(60_000), 400],
  ['JSON of another type', 'text/plain', '{"suffix":"bin"}', 201],
  ['a form where JSON is read', 'application/x-www-form-urlencoded', 'suffix=bin', 400],
  ['a member of every object', 'application/json', '{"__proto__":{"account":"bob"}}', 400],
])('answers a body with %s', async (_what, type, body, status) => {
  await call(gateway, ANN, 'post', '/grants').set('content-type', type).send(body).expect(status);
});

it.each([
  ['/grants', { suffix: 'bin', instanceId: 'i\0' }],
  ['/packages', { name: 'n', version: '1', keys: ['a\0'] }],
  ['/packages', { name: 'n', version: '1', description: '\0', keys: ['a'] }],
])('refuses U+0000 in the body of a POST of %s', async (path, body) => {
  const response = await call(gateway, ANN, 'post', path).send(body).expect(400);
  expect(response.body.error).toMatchObject({ message: expect.stringContaining('U+0000') });
});

it('refuses the form of a package with U+0000 in a field or in the name of a file', async () => {
  const form = (description: string, filename: string) =>
    call(gateway, ANN, 'post', '/packages')
      .field({ name: 'n', version: '1', description })
      .attach('file', Buffer.from('x'), { filename, contentType: 'text/plain' });
  await form('a\0', 'x.bin').expect(400);
  await form('a', 'x\0.bin').expect(400);
});

it('does not inflate a body', async () => {
  const sent = call(gateway, ANN, 'post', '/grants').set('content-encoding', 'gzip').send('{}');
  await sent.expect(415);
});

it('refuses the form of a package from a page of another site, whose browser knows the secret', async () => {
  const { body } = await call(gateway, ANN, 'post', '/packages')
    .set('origin', 'null')
    .field({ name: 'forged', version: '1' })
    .attach('file', Buffer.from('x'), 'x.bin')
    .expect(403);
  expect(body.error.code).toBe('ForeignPage');
});

it('answers HEAD without a body, and gives it no place among the listeners of events', async () => {
  const agent = request(gateway.app);
  for (const path of ['/about', '/events']) {
    const response = await agent
      .head(BASE + path)
      .auth(ANN.id, ANN.secret)
      .expect(200);
    expect(response.text).toBeUndefined();
  }
});

it.each(['options', 'put', 'patch'] as const)('changes nothing by %s', async (method) => {
  const agent = request(gateway.app);
  await agent[method](BASE + uploadPath(key)).expect(401);
  const { headers } = await agent[method](BASE + uploadPath(key)).auth(BOB.id, BOB.secret);
  expect(headers).not.toHaveProperty('access-control-allow-origin');
  await call(gateway, BOB, 'get', uploadPath(key)).expect(200);
});
