import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import request from 'supertest';
import type { Test } from 'supertest';
import { packageShape } from '../../../src/operator/package-shapes.ts';
import { eventually } from '../../support/built-gateway.ts';
import { bodiesIn } from '../../support/gateways.ts';
import type { EngineGateway } from '../../support/gateways.ts';
import { ANN, BASE, BOB, call, signedHeaders, startWithOperator } from './operator-api.ts';
import type { Key } from './operator-api.ts';

let gateway: EngineGateway;

beforeEach(async () => {
  gateway = await startWithOperator({ maxUpload: '1KiB' });
});

afterEach(() => gateway.close());

function form(key: Key = ANN): Test {
  return call(gateway, key, 'post', '/packages');
}

const named = { name: 'pump', version: '1.0.0' };

/** Expects that nothing is left of a request: no body in the store, and no upload that has one. */
async function expectNothing(): Promise<void> {
  expect(await bodiesIn(gateway.inventory)).toEqual({ locators: [], uncommitted: 0 });
  const { packages, uploads } = await gateway.snapshot();
  expect(packages).toEqual([]);
  expect(uploads.filter(({ state }) => state === 'stored' || state === 'claimed')).toEqual([]);
}

async function statesOf(): Promise<string[]> {
  return (await gateway.snapshot()).uploads.map(({ state }) => state);
}

it('stores the files of one request and makes a package of them, with fields in any order', async () => {
  const { body } = await form()
    .attach('file', Buffer.from('app'), 'app.bin')
    .field('version', '2.0.0')
    .attach('file', Buffer.from('model'), 'model.tar.gz')
    .field('name', 'pump')
    .field('description', 'two files')
    .expect(201);
  expect(packageShape.strict().parse(body)).toMatchObject({
    name: 'pump',
    version: '2.0.0',
    accountId: 'ann',
    description: 'two files',
    files: [
      { name: 'app.bin', size: 3, md5: 'd2a57dc1d883fd21fb9951699df71cc7' },
      { name: 'model.tar.gz', size: 5, md5: '20f35e630daf44dbfa4c3f68f5399d8c' },
    ],
  });
  expect(body.files[0].key).toMatch(/^uploads\/c[0-9a-z]{24}\.bin$/);
  expect(await gateway.uploads.packages()).toMatchObject([{ id: body.firmwareId }]);
});

it('makes a package of one file', async () => {
  const { body } = await form()
    .field(named)
    .attach('file', Buffer.from('app'), 'app.bin')
    .expect(201);
  expect(body.files).toMatchObject([{ size: 3 }]);
  expect(body.files[0]).not.toHaveProperty('name');
});

it.each([
  ['a name that is missing', 400, 'InvalidRequest', (test: Test) => test.field('version', '1')],
  [
    'a field that nobody knows',
    400,
    'InvalidRequest',
    (test: Test) => test.field(named).field('x', '1'),
  ],
  [
    "a name that breaks the platform's rules",
    409,
    'iot.firmware.IncorrectFormattedFirmwareName',
    (test: Test) => test.field({ ...named, name: '!' }),
  ],
  [
    'another field of files',
    400,
    'InvalidForm',
    (test: Test) => test.field(named).attach('other', Buffer.from('x'), 'x'),
  ],
  [
    'too many fields',
    413,
    'InvalidForm',
    (test: Test) =>
      test.field(Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`f${String(n)}`, '1']))),
  ],
  [
    'a field that is too long',
    413,
    'InvalidForm',
    (test: Test) => test.field(named).field('description', 'x'.repeat(17_000)),
  ],
  [
    'a file that is too large',
    413,
    'TooLarge',
    (test: Test) => test.field(named).attach('file', Buffer.alloc(1025), 'b'),
  ],
  [
    'files of the same name',
    409,
    'iot.check.InvalidFormattedParameter',
    (test: Test) => test.field(named).attach('file', Buffer.from('y'), 'a.bin'),
  ],
])('keeps no file when there is %s', async (_what, status, code, add) => {
  const sent = form().attach('file', Buffer.from('app'), 'a.bin');
  const { body } = await add(sent).expect(status);
  expect(body.error).toMatchObject({ code, message: expect.any(String) });
  await expectNothing();
});

it('keeps no file when there are more than 20', async () => {
  const sent = form().field(named);
  for (let n = 0; n <= 20; n += 1) sent.attach('file', Buffer.from('x'), `${String(n)}.bin`);
  expect((await sent.expect(413)).body.error.code).toBe('InvalidForm');
  await expectNothing();
});

it('refuses a form without a file', async () => {
  const { body } = await form().field(named).expect(400);
  expect(body.error.message).toContain('file: expected at least one file');
});

it('keeps no file when the name is taken, and none of another account is changed', async () => {
  await form(BOB).field(named).attach('file', Buffer.from('b'), 'b.bin').expect(201);
  await form().field(named).attach('file', Buffer.from('a'), 'a.bin').expect(201);
  const before = await bodiesIn(gateway.inventory);
  const { body } = await form().field(named).attach('file', Buffer.from('c'), 'c.bin').expect(409);
  expect(body.error.code).toBe('iot.firmware.AlreadyExistedFirmwareName');
  expect(await bodiesIn(gateway.inventory)).toEqual(before);
});

it('keeps no file when the client goes away in the middle', async () => {
  const { port } = await gateway.listen();
  const socket = connect(port, '127.0.0.1');
  const part = (name: string): string =>
    `--x\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n`;
  socket.write(
    `POST ${BASE}/packages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${btoa(`${ANN.id}:${ANN.secret}`)}\r\n` +
      `Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n${part('a')}one\r\n${part('b')}two`,
  );
  await eventually(async () => (await statesOf()).join() === 'stored');
  socket.destroy();
  await eventually(async () => (await bodiesIn(gateway.inventory)).locators.length === 0);
  await expectNothing();
});

/** Opens a connection, and sends the head of a form of 1 GB with the beginning of its body. */
async function begin(body: string): Promise<{ socket: Socket; answer: Promise<string> }> {
  const { port } = await gateway.listen();
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `POST ${BASE}/packages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${btoa(`${ANN.id}:${ANN.secret}`)}\r\n` +
      `Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000000\r\n\r\n${body}`,
  );
  const answer = once(socket, 'data').then(([bytes]) => String(bytes));
  return { socket, answer };
}

const FILE = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n';

it.each([
  ['a file that is too large', `${FILE}${'x'.repeat(2000)}`, /^HTTP\/1\.1 413 .*"TooLarge"/s],
  [
    'a file that is too large and has another behind it',
    `${FILE}${'x'.repeat(2000)}\r\n${FILE}abc`,
    /^HTTP\/1\.1 413 .*"TooLarge"/s,
  ],
  [
    'an unknown field of files',
    `${FILE.replace('"file"', '"other"')}abc`,
    /^HTTP\/1\.1 400 .*"InvalidForm"/s,
  ],
])('responds to %s at once, without the rest of the form', async (_what, body, expected) => {
  const { answer, socket } = await begin(body);
  expect(await answer).toMatch(expected);
  socket.destroy();
  await expectNothing();
});

it('leaves no row of a form that failed, so that nothing counts against a limit', async () => {
  await gateway.close();
  gateway = await startWithOperator({ maxUpload: '1KiB', maxAccountUploads: 1 });
  await form().field(named).attach('file', Buffer.alloc(1025), 'b').expect(413);
  expect(await statesOf()).toEqual([]);
  const { socket } = await begin(FILE);
  socket.destroy();
  await form().field(named).attach('file', Buffer.from('a'), 'a.bin').expect(201);
});

it('refuses a form at a limit before it arrives', async () => {
  await gateway.close();
  gateway = await startWithOperator({ maxAccountUploads: 1 });
  await form().field(named).attach('file', Buffer.from('a'), 'a.bin').expect(201);
  const { answer, socket } = await begin('');
  expect(await answer).toMatch(/^HTTP\/1\.1 429 .*"Limit".*OTA_GATEWAY_MAX_ACCOUNT_UPLOADS/s);
  socket.destroy();
});

it('refuses a file that is announced with more bytes than a limit allows before they arrive', async () => {
  await gateway.close();
  gateway = await startWithOperator({ maxAccountBytes: '1MiB' });
  const { answer, socket } = await begin(`${FILE}abc`);
  expect(await answer).toMatch(/^HTTP\/1\.1 429 .*"Limit".*OTA_GATEWAY_MAX_ACCOUNT_BYTES/s);
  socket.destroy();
});

it.each([
  ['fill the limit of bytes', { maxAccountBytes: '300KiB' }, 150 * 1024],
  ['arrive while one file may be received at a time', { maxAccountConcurrent: 1 }, 2],
])('accepts two files that %s', async (_how, limits, size) => {
  await gateway.close();
  gateway = await startWithOperator(limits);
  const { body } = await form()
    .field(named)
    .attach('file', Buffer.alloc(size), 'a.bin')
    .attach('file', Buffer.alloc(size), 'b.bin')
    .expect(201);
  expect(body.files).toMatchObject([{ size }, { size }]);
});

it.each([
  ['whose end is missing', 'multipart/form-data; boundary=x', `${FILE}abc`],
  ['without a boundary', 'multipart/form-data', `${FILE}abc\r\n--x--\r\n`],
])('refuses a form %s', async (_how, type, text) => {
  const { body } = await form().set('content-type', type).send(text).expect(400);
  expect(body.error).toMatchObject({
    code: 'InvalidForm',
    message: expect.stringContaining('cannot be read'),
  });
  await expectNothing();
});

it('refuses a wrong key before it reads the files', async () => {
  await form({ ...ANN, secret: 'no' })
    .field(named)
    .attach('file', Buffer.from('a'), 'a.bin')
    .expect(401);
  expect((await gateway.snapshot()).uploads).toEqual([]);
});

it('checks the signed digest of the whole form', async () => {
  const body = Buffer.from(
    '--x\r\nContent-Disposition: form-data; name="name"\r\n\r\npump\r\n' +
      '--x\r\nContent-Disposition: form-data; name="version"\r\n\r\n1\r\n' +
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\nfirmware\r\n--x--\r\n',
  );
  const send = (bytes: Buffer) =>
    request(gateway.app)
      .post(`${BASE}/packages`)
      .set(signedHeaders(ANN, 'POST', `${BASE}/packages`, { body, now: gateway.clock.now() }))
      .set('content-type', 'multipart/form-data; boundary=x')
      .send(bytes);
  const changed = Buffer.from(body.toString().replace('firmware', 'malwares'));
  expect((await send(changed).expect(401)).body.error.code).toBe('SignatureDoesNotMatch');
  await expectNothing();
  expect((await send(body).expect(201)).body).toMatchObject({ name: 'pump', files: [{ size: 8 }] });
});
