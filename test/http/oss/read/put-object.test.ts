import { createHash } from 'node:crypto';
import { request as send } from 'node:http';
import { connect } from 'node:net';
import request from 'supertest';
import { ossV1StringToSign, signOssV1 } from '../../../../src/signatures/oss-v1.ts';
import { eventually, NOW, startOss } from './start-oss.ts';
import type { Oss } from './start-oss.ts';

const KEY = 'ota/0123/a b+固件.bin';
const PATH = '/ota/0123/a%20b%2B%E5%9B%BA%E4%BB%B6.bin';
const BODY = Buffer.from('The quick brown fox jumps over the lazy dog');
const MD5 = 'nhB9nTcrtoJr2B01QqQZ1g==';
const MAX_BYTES = 1024 * 1024;

let oss: Oss;

beforeAll(async () => {
  oss = await startOss({ maxUploadBytes: MAX_BYTES });
});

afterAll(async () => {
  await oss[Symbol.asyncDispose]();
});

let key = KEY;
let count = 0;

beforeEach(() => {
  oss.clock.set(NOW);
  count += 1;
  key = `${count}/${KEY}`;
});

/** Signs a request in its header with version 1. */
function signed(
  method: string,
  headers: Readonly<Record<string, string>> = {},
  query: readonly (readonly [string, string])[] = [],
): Record<string, string> {
  const date = new Date(oss.clock.now()).toUTCString();
  const all = { ...headers, date };
  const call = { method, bucket: oss.bucket, key, query, headers: new Map(Object.entries(all)) };
  const signature = signOssV1(oss.accessKey.secret, ossV1StringToSign(call, date));
  return { ...all, authorization: `OSS ${oss.accessKey.id}:${signature}` };
}

const path = () => `/${count}${PATH}`;
const put = (headers: Record<string, string>, body: Buffer | string = BODY) =>
  request(oss.app)
    .put(path())
    .set(signed('PUT', { 'content-type': 'application/zip', ...headers }))
    .send(body);

const stored = () => oss.uploads.ledger.findUpload(key);

/** No request may leave a body behind. */
afterEach(async () => {
  expect(await oss.uncommitted()).toBe(0);
});

describe('PutObject', () => {
  it('stores a body with its headers', async () => {
    const response = await put({
      'cache-control': 'no-cache',
      'content-md5': MD5,
      'x-oss-meta-version': '1.2.3',
      'x-oss-object-acl': 'private',
    });
    expect(response.status).toBe(200);
    expect(response.text).toBe('');
    expect(response.headers).toMatchObject({
      'content-length': '0',
      'content-md5': MD5,
      etag: '"9E107D9D372BB6826BD81D3542A419D6"',
      'x-oss-hash-crc64ecma': expect.stringMatching(/^\d+$/),
    });
    expect(await stored()).toMatchObject({
      state: 'stored',
      object: {
        size: BODY.length,
        md5: createHash('md5').update(BODY).digest('hex'),
        storedAt: NOW,
        headers: {
          'cache-control': 'no-cache',
          'content-type': 'application/zip',
          'x-oss-meta-version': '1.2.3',
          'x-oss-object-acl': 'private',
        },
      },
    });
    const read = await request(oss.app).get(oss.sign(key)).responseType('blob');
    expect(read.body).toEqual(BODY);
    expect(read.headers['x-oss-meta-version']).toBe('1.2.3');
  });

  it('stores a body with a signed URL', async () => {
    const url = oss.sign(key, { method: 'PUT' });
    const typed = await sendBare('PUT', url, BODY, { 'content-type': 'application/zip' });
    expect(typed.status).toBe(403);
    const bare = await sendBare('PUT', url, BODY);
    expect(bare.status).toBe(200);
    expect(await stored()).toMatchObject({
      object: { headers: { 'content-type': 'application/octet-stream' } },
    });
  });

  it('stores an empty body, and a chunked body', async () => {
    expect((await put({ 'content-length': '0' }, '')).status).toBe(200);
    expect(await stored()).toMatchObject({ object: { size: 0, crc64: '0' } });
    const chunked = signed('PUT', { 'transfer-encoding': 'chunked' });
    expect((await sendBare('PUT', path(), BODY, chunked)).status).toBe(200);
    expect(await stored()).toMatchObject({ object: { size: BODY.length } });
  });

  it('replaces an object, unless the request forbids it', async () => {
    expect((await put({}, 'old')).status).toBe(200);
    expect((await put({})).status).toBe(200);
    expect(await stored()).toMatchObject({ object: { size: BODY.length } });
    const refused = await put({ 'x-oss-forbid-overwrite': 'true' }, 'new');
    expect(refused.status).toBe(409);
    expect(refused.text).toContain('<Code>FileAlreadyExists</Code>');
    expect(await stored()).toMatchObject({ object: { size: BODY.length } });
  });

  it('compares a Content-MD5 before it records the body', async () => {
    const wrong = await put({ 'content-md5': MD5 }, 'something else');
    expect(wrong.status).toBe(400);
    expect(wrong.text).toContain('<Code>InvalidDigest</Code>');
    const malformed = await put({ 'content-md5': 'abc' });
    expect(malformed.text).toContain('<Code>InvalidDigest</Code>');
    expect(await stored()).toBeUndefined();
  });

  it('refuses more headers than an object can store', async () => {
    const refused = await put({ 'cache-control': 'x'.repeat(5000), expires: 'x'.repeat(3200) });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('<Code>InvalidArgument</Code>');
    expect(refused.text).toContain('<ArgumentName>expires</ArgumentName>');
    expect(await stored()).toBeUndefined();
  });

  it('refuses one byte too many, announced or not', async () => {
    expect((await put({}, Buffer.alloc(MAX_BYTES))).status).toBe(200);
    const tooLarge = Buffer.alloc(MAX_BYTES + 1);
    const announced = await put({}, tooLarge);
    expect(announced.status).toBe(400);
    expect(announced.text).toContain('<Code>EntityTooLarge</Code>');
    const headers = signed('PUT', { 'transfer-encoding': 'chunked' });
    const chunked = await sendBare('PUT', path(), tooLarge, headers);
    expect(chunked.text).toContain('<Code>EntityTooLarge</Code>');
    expect(await stored()).toMatchObject({ object: { size: MAX_BYTES } });
  });

  it('stores nothing when the body is incomplete', async () => {
    await using server = await oss.listen();
    const headers = signed('PUT', { 'content-length': '1000' });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`PUT ${path()} HTTP/1.1\r\nHost: x\r\n${lines.join('')}\r\nsome bytes`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const uncommitted = await eventually(
      () => oss.uncommitted(),
      (count) => count === 0,
    );
    expect(uncommitted).toBe(0);
    expect(await stored()).toBeUndefined();
  });

  it.each([
    ['x-oss-copy-source', '/other/key'],
    ['x-oss-callback', 'e30='],
    ['If-None-Match', '*'],
    ['If-Modified-Since', 'Thu, 11 Aug 2016 01:43:51 GMT'],
  ])('refuses the header %s', async (name, value) => {
    const response = await put({ [name]: value });
    expect(response.status).toBe(400);
    expect(response.text).toContain('<Code>NotImplemented</Code>');
    expect(response.text).toContain(`<Header>${name}</Header>`);
    expect(await stored()).toBeUndefined();
  });

  it.each(['acl', 'append', 'tagging', 'partNumber', 'uploadId', 'symlink'])(
    'refuses ?%s, which is another operation',
    async (name) => {
      const headers = signed('PUT', { 'content-type': 'a/b' }, [[name, '1']]);
      const response = await request(oss.app).put(`${path()}?${name}=1`).set(headers).send(BODY);
      expect(response.text).toContain('<Code>NotImplemented</Code>');
      expect(await stored()).toBeUndefined();
    },
  );

  it('refuses a request without a signature, and a public object', async () => {
    const anonymous = await request(oss.app).put(path()).send(BODY);
    expect(anonymous.status).toBe(403);
    expect(anonymous.text).toContain('<Code>AccessDenied</Code>');
    const acl = await put({ 'x-oss-object-acl': 'public-read' });
    expect(acl.status).toBe(403);
    expect(await stored()).toBeUndefined();
  });
});

describe('DeleteObject', () => {
  const remove = (headers = signed('DELETE')) => request(oss.app).delete(path()).set(headers);

  it('deletes an object, and succeeds again when it is deleted', async () => {
    await oss.store(key, BODY);
    expect((await remove()).status).toBe(204);
    expect(await stored()).toBeUndefined();
    expect((await remove()).status).toBe(204);
    expect(await oss.uploads.ledger.findPurged(key)).toMatchObject({
      purge: { reason: 'deleted', purgingSince: NOW },
    });
  });

  it('refuses to delete a file of a firmware package', async () => {
    const { locator } = await oss.store(key, BODY);
    await claim(locator);
    const response = await remove();
    expect(response.status).toBe(409);
    expect(response.text).toContain('<Code>FileImmutable</Code>');
    expect((await put({})).text).toContain('<Code>FileImmutable</Code>');
    expect(await stored()).toMatchObject({ state: 'claimed' });
  });

  it('refuses a request without a signature', async () => {
    await oss.store(key, BODY);
    expect((await remove({})).status).toBe(403);
    expect((await remove(signed('PUT'))).status).toBe(403);
    expect(await stored()).toMatchObject({ state: 'stored' });
  });

  it('refuses ?uploadId, which is another operation', async () => {
    await oss.store(key, BODY);
    const headers = signed('DELETE', {}, [['uploadId', '1']]);
    const response = await request(oss.app).delete(`${path()}?uploadId=1`).set(headers);
    expect(response.text).toContain('<Code>NotImplemented</Code>');
    expect(await stored()).toMatchObject({ state: 'stored' });
  });
});

async function claim(locator: string): Promise<void> {
  const outcome = await oss.uploads.ledger.claim({
    package: {
      ...{ id: key, accountId: 'a', name: key, destVersion: '1', moduleName: 'default' },
      ...{ differential: false, signMethod: 'MD5' as const, status: -1 as const },
      ...{ verifyProgress: 0, createdAt: NOW, modifiedAt: NOW },
      files: [{ key, size: BODY.length, sign: 'x', md5: 'x' }],
    },
    locators: [locator],
    storedAfter: 0,
    maxPackages: 10,
  });
  expect(outcome.kind).toBe('claimed');
}

/** Sends only the given headers; supertest would add others. */
async function sendBare(
  method: string,
  url: string,
  body: Buffer,
  headers: Record<string, string> = {},
): Promise<{ status: number | undefined; text: string }> {
  await using server = await oss.listen();
  return await new Promise((resolve, reject) => {
    const call = send({ port: server.port, path: url, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, text: String(Buffer.concat(chunks)) });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}
