import request from 'supertest';
import { ossV4StringToSign, signOssV4 } from '../../../../src/signatures/oss-v4.ts';
import { PACKAGE_STATUS } from '../../../../src/uploads/firmware-package.ts';
import { NOW, startOss } from './start-oss.ts';
import type { Oss, OssOptions } from './start-oss.ts';

const KEY = 'ota/0123/a.bin';
const BODY = 'The quick brown fox jumps over the lazy dog';
const ETAG = '"9E107D9D372BB6826BD81D3542A419D6"';
const LAST_MODIFIED = 'Tue, 02 Jan 2024 03:04:05 GMT';

let oss: Oss;

/** Starts a gateway for the tests of a group. */
function useOss(options: OssOptions = {}): void {
  beforeAll(async () => {
    oss = await startOss(options);
  });

  afterAll(async () => {
    await oss[Symbol.asyncDispose]();
  });

  beforeEach(() => {
    oss.clock.set(NOW);
    oss.errors.length = 0;
  });
}

const download = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  request(oss.app).get(path).set(headers).responseType('blob');

describe('a signed URL', () => {
  useOss();

  it('returns the object with all its headers', async () => {
    await oss.store(KEY, BODY, {
      'content-type': 'application/zip',
      'cache-control': 'no-cache',
      'content-disposition': 'attachment; filename="固件.zip"',
      'content-encoding': 'identity',
      expires: 'Wed, 03 Jan 2024 00:00:00 GMT',
      'x-oss-meta-version': '1.2.3',
      'x-oss-meta-name': '固件',
      'x-oss-object-acl': 'private',
    });
    const { status, headers, body } = await download(oss.sign(KEY));
    expect(status).toBe(200);
    expect(String(body)).toBe(BODY);
    const utf8 = Buffer.from('固件').toString('latin1');
    expect(headers).toMatchObject({
      'content-type': 'application/zip',
      'content-length': '43',
      'content-md5': 'nhB9nTcrtoJr2B01QqQZ1g==',
      'accept-ranges': 'bytes',
      'cache-control': 'no-cache',
      'content-disposition': `attachment; filename="${utf8}.zip"`,
      'content-encoding': 'identity',
      etag: ETAG,
      expires: 'Wed, 03 Jan 2024 00:00:00 GMT',
      'last-modified': LAST_MODIFIED,
      'x-content-type-options': 'nosniff',
      'x-oss-hash-crc64ecma': (await stored()).crc64,
      'x-oss-meta-name': utf8,
      'x-oss-meta-version': '1.2.3',
      'x-oss-object-type': 'Normal',
      'x-oss-storage-class': 'Standard',
    });
    expect(headers).not.toHaveProperty('x-oss-object-acl');
  });

  it('returns the same headers for HEAD, without the body', async () => {
    await oss.store(KEY, BODY, { 'x-oss-meta-version': '1.2.3' });
    const whole = await download(oss.sign(KEY));
    const head = await request(oss.app).head(oss.sign(KEY, { method: 'HEAD' }));
    expect(head.status).toBe(200);
    expect(head.text).toBeUndefined();
    expect(withoutIdentity(head.headers)).toEqual(withoutIdentity(whole.headers));
  });

  it('returns only length, ETag and date for GetObjectMeta', async () => {
    await oss.store(KEY, BODY, { 'x-oss-meta-version': '1.2.3' });
    const path = oss.sign(KEY, { method: 'HEAD', query: [['objectMeta', '']] });
    const { status, headers } = await request(oss.app).head(path);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-length': '43', etag: ETAG });
    expect(headers).toHaveProperty('last-modified', LAST_MODIFIED);
    expect(headers).not.toHaveProperty('x-oss-meta-version');
  });

  it('returns an empty object', async () => {
    await oss.store(KEY, '');
    const { status, headers, body } = await download(oss.sign(KEY));
    expect(status).toBe(200);
    expect(body).toHaveLength(0);
    expect(headers).toMatchObject({
      'content-length': '0',
      'content-type': 'application/octet-stream',
      'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==',
      'x-oss-hash-crc64ecma': '0',
    });
  });

  it('returns the object of a claimed upload', async () => {
    const { locator } = await oss.store('claimed', BODY);
    await claim('claimed', locator);
    expect((await download(oss.sign('claimed'))).status).toBe(200);
  });

  it.each([
    ['a b.bin', undefined],
    ['固件/ünï.bin', undefined],
    ['a+b.bin', undefined],
    ['a+b.bin', '/a+b.bin'],
    ['a+b.bin', '/a%2Bb.bin'],
    ['a/b.bin', '/a%2Fb.bin'],
    ['a%2Bb.bin', '/a%252Bb.bin'],
    ['a?b#c&d=e.bin', undefined],
    ["a!'()*.bin", "/a!'()*.bin"],
    [KEY, `/iotx-ota/${KEY}`],
    ['__proto__', undefined],
  ])('returns the object with the key %j at %s', async (key, path) => {
    await oss.store(key, BODY);
    const { status, body } = await download(oss.sign(key, path === undefined ? {} : { path }));
    expect(String(body)).toBe(BODY);
    expect(status).toBe(200);
  });

  it('returns an object in virtual host style', async () => {
    await oss.store(KEY, BODY);
    const host = { host: `iotx-ota.oss-cn-shanghai.aliyuncs.com` };
    expect((await download(oss.sign(KEY), host)).status).toBe(200);
  });

  it('expires by the clock of the gateway', async () => {
    await oss.store(KEY, BODY);
    const path = oss.sign(KEY);
    oss.clock.advance({ seconds: 61 });
    const { status, body } = await download(path);
    expect(status).toBe(403);
    expect(String(body)).toContain('<Message>Request has expired.</Message>');
  });

  it('is refused for HEAD without a body', async () => {
    await oss.store(KEY, BODY);
    const { status, text } = await request(oss.app).head(oss.sign(KEY));
    expect(status).toBe(403);
    expect(text).toBeUndefined();
  });
});

describe('a header signed by version 4', () => {
  useOss();

  it('returns the object', async () => {
    await oss.store(KEY, BODY);
    const { region } = oss;
    const date = '20240102T030405Z';
    const headers = { 'x-oss-date': date, 'x-oss-content-sha256': 'UNSIGNED-PAYLOAD' };
    const signed = {
      ...{ method: 'GET', bucket: oss.bucket, key: KEY, query: [] },
      headers: new Map(Object.entries(headers)),
    };
    const scope = { date: date.slice(0, 8), region };
    const stringToSign = ossV4StringToSign(signed, { date, region, additionalHeaders: [] });
    const signature = signOssV4(oss.accessKey.secret, scope, stringToSign);
    const credential = `${oss.accessKey.id}/20240102/${region}/oss/aliyun_v4_request`;
    const authorization = `OSS4-HMAC-SHA256 Credential=${credential},Signature=${signature}`;
    expect((await download(`/${KEY}`, { ...headers, authorization })).status).toBe(200);
  });
});

describe('a bucket that is not public', () => {
  useOss();

  it('refuses reads without a signature, whether the object exists or not', async () => {
    await oss.store(KEY, BODY, { 'x-oss-object-acl': 'public-read' });
    for (const path of [`/${KEY}`, '/nothing']) {
      const { status, body } = await download(path);
      expect(status).toBe(403);
      expect(String(body)).toContain('<Code>AccessDenied</Code>');
    }
  });
});

describe('a public bucket', () => {
  useOss({ publicRead: true });

  it('allows reads without a signature, unless the object is private', async () => {
    await oss.store(KEY, BODY);
    await oss.store('private', BODY, { 'x-oss-object-acl': 'private' });
    expect((await download(`/${KEY}`)).status).toBe(200);
    expect((await download('/nothing')).status).toBe(404);
    expect((await download('/private')).status).toBe(403);
    expect((await download(oss.sign('private'))).status).toBe(200);
    expect((await download(`/${KEY}`, { authorization: 'OSS x:y' })).status).toBe(403);
  });

  it('refuses overrides in an anonymous request', async () => {
    await oss.store(KEY, BODY);
    const { status, body } = await download(`/${KEY}?response-content-type=text/html`);
    expect(status).toBe(400);
    expect(String(body)).toContain('<Code>InvalidRequest</Code>');
  });
});

describe('a missing object', () => {
  useOss();

  it('is refused with NoSuchKey, which names the key', async () => {
    await oss.uploads.ledger.recordIssued({
      key: 'issued<&>',
      accountId: 'a',
      issuedAt: oss.clock.now(),
      policyExpiresAt: oss.clock.now(),
    });
    const { status, body } = await download(oss.sign('issued<&>'));
    expect(status).toBe(404);
    expect(String(body)).toContain('<Code>NoSuchKey</Code>');
    expect(String(body)).toContain('<Key>issued&lt;&amp;&gt;</Key>');
    expect((await download(oss.sign('never'))).status).toBe(404);
  });

  it('is refused after its upload was deleted', async () => {
    const { locator } = await oss.store(KEY, BODY);
    await oss.uploads.ledger.deleteUpload(KEY, locator, oss.clock.now());
    expect((await download(oss.sign(KEY))).status).toBe(404);
  });

  it('is an internal error when only its body is lost', async () => {
    const { locator } = await oss.store(KEY, BODY);
    await oss.uploads.store.delete(locator);
    expect((await download(oss.sign(KEY))).status).toBe(500);
    expect((await request(oss.app).head(oss.sign(KEY, { method: 'HEAD' }))).status).toBe(500);
    expect(oss.errors).toHaveLength(2);
    expect(oss.errors[0]).toMatchObject({
      err: { message: expect.stringContaining(locator) },
    });
  });

  it.each(['acl', 'tagging', 'uploadId', 'x-oss-process'])(
    'refuses ?%s, which is another operation',
    async (name) => {
      await oss.store(KEY, BODY);
      const { status, body } = await download(oss.sign(KEY, { query: [[name, '']] }));
      expect(status).toBe(400);
      expect(String(body)).toContain('<Code>NotImplemented</Code>');
    },
  );
});

describe('overrides', () => {
  useOss();

  const query: [string, string][] = [
    ['response-content-type', 'text/plain; charset=utf-8'],
    ['response-content-language', 'de'],
    ['response-expires', 'never'],
    ['response-cache-control', 'no-store'],
    ['response-content-disposition', 'attachment; filename="固 件+.bin"'],
    ['response-content-encoding', 'identity'],
  ];

  it('replace the stored headers for a signed request', async () => {
    await oss.store(KEY, BODY, { 'content-type': 'application/zip', 'cache-control': 'no-cache' });
    const { status, headers } = await download(oss.sign(KEY, { query }));
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-language': 'de',
      expires: 'never',
      'cache-control': 'no-store',
      'content-disposition': Buffer.from('attachment; filename="固 件+.bin"').toString('latin1'),
      'content-encoding': 'identity',
    });
  });

  it('never add a line break to the headers', async () => {
    await oss.store(KEY, BODY, { 'x-oss-meta-a': 'b\r\nx-injected: 1' });
    const { status, headers } = await download(
      oss.sign(KEY, { query: [['response-content-type', 'text/plain\r\nx-injected: 1']] }),
    );
    expect(status).toBe(200);
    expect(headers).not.toHaveProperty('x-injected');
    expect(headers['x-oss-meta-a']).toBe('b  x-injected: 1');
  });
});

describe('an object that a browser could run', () => {
  useOss();

  it.each(['text/html', 'image/svg+xml', 'application/xml', 'APPLICATION/XHTML+XML; charset=x'])(
    'is downloaded and sandboxed: %s',
    async (type) => {
      await oss.store(KEY, BODY, { 'content-type': type });
      const { headers } = await download(oss.sign(KEY));
      expect(headers).toMatchObject({
        'content-type': type,
        'content-disposition': 'attachment',
        'content-security-policy': "default-src 'none'; sandbox",
        'x-content-type-options': 'nosniff',
      });
    },
  );

  it('is downloaded when the URL overrides its type', async () => {
    await oss.store(KEY, BODY);
    const asHtml = oss.sign(KEY, { query: [['response-content-type', 'text/html']] });
    expect((await download(asHtml)).headers).toHaveProperty('content-disposition', 'attachment');
  });

  it('keeps its own Content-Disposition', async () => {
    await oss.store(KEY, BODY, { 'content-type': 'text/html', 'content-disposition': 'inline' });
    const { headers } = await download(oss.sign(KEY));
    expect(headers).toHaveProperty('content-disposition', 'inline');
    expect(headers).toHaveProperty('content-security-policy', "default-src 'none'; sandbox");
  });
});

describe('a range', () => {
  useOss({ publicRead: true });

  const standard = { 'x-oss-range-behavior': 'standard' };

  beforeAll(async () => {
    await oss.store(KEY, BODY);
  });

  it.each([
    ['bytes=4-8', {}, 206, 'quick', 'bytes 4-8/43'],
    ['bytes=40-', {}, 206, 'dog', 'bytes 40-42/43'],
    ['bytes=-3', {}, 206, 'dog', 'bytes 40-42/43'],
    ['bytes=40-100', {}, 200, BODY, undefined],
    ['bytes=43-', {}, 200, BODY, undefined],
    ['bytes=0-0,2-2', {}, 200, BODY, undefined],
    ['bytes=40-100', standard, 206, 'dog', 'bytes 40-42/43'],
    ['bytes=4-8', { 'if-range': ETAG }, 206, 'quick', 'bytes 4-8/43'],
    ['bytes=4-8', { 'if-range': '"OTHER"' }, 200, BODY, undefined],
  ])('returns the right bytes: %s with %j', async (range, more, status, body, contentRange) => {
    const response = await download(`/${KEY}`, { range, ...more });
    expect(response.status).toBe(status);
    expect(String(response.body)).toBe(body);
    expect(response.headers['content-range']).toBe(contentRange);
    expect(response.headers).toMatchObject({
      'content-length': String(body.length),
      'content-md5': 'nhB9nTcrtoJr2B01QqQZ1g==',
      'x-oss-hash-crc64ecma': (await stored()).crc64,
    });
  });

  it('is refused when it starts after the object, with the standard behavior', async () => {
    const response = await download(`/${KEY}`, { range: 'bytes=43-', ...standard });
    expect(response.status).toBe(416);
    expect(response.headers['content-range']).toBe('bytes */43');
    expect(String(response.body)).toContain('<Code>InvalidRange</Code>');
  });

  it('is ignored for HEAD', async () => {
    const response = await request(oss.app).head(`/${KEY}`).set('range', 'bytes=4-8');
    expect(response.status).toBe(200);
    expect(response.headers['content-length']).toBe('43');
  });
});

describe('a precondition', () => {
  useOss({ publicRead: true });

  beforeAll(async () => {
    await oss.store(KEY, BODY);
  });

  it.each([[{ 'if-none-match': ETAG }], [{ 'if-modified-since': LAST_MODIFIED }]])(
    'returns 304 for %j',
    async (headers) => {
      for (const send of [
        download(`/${KEY}`, headers),
        request(oss.app).head(`/${KEY}`).set(headers),
      ]) {
        const response = await send;
        expect(response.status).toBe(304);
        expect(response.headers).toMatchObject({ etag: ETAG, 'last-modified': LAST_MODIFIED });
        expect(response.headers).not.toHaveProperty('content-length');
      }
    },
  );

  it.each([
    [{ 'if-match': '"OTHER"' }],
    [{ 'if-unmodified-since': 'Tue, 02 Jan 2024 03:04:04 GMT' }],
  ])('returns 412 for %j', async (headers) => {
    const response = await download(`/${KEY}`, headers);
    expect(response.status).toBe(412);
    expect(String(response.body)).toContain('<Code>PreconditionFailed</Code>');
  });
});

function withoutIdentity(headers: Readonly<Record<string, string>>): object {
  return { ...headers, date: '', 'x-oss-request-id': '' };
}

async function stored() {
  const upload = await oss.uploads.ledger.findUpload(KEY);
  if (upload?.state !== 'stored') throw new Error('nothing is stored');
  return upload.object;
}

async function claim(key: string, locator: string): Promise<void> {
  const { ledger } = oss.uploads;
  const now = oss.clock.now();
  const outcome = await ledger.claim({
    package: {
      ...{ id: 'p', accountId: 'a', name: 'n', destVersion: '1', moduleName: 'default' },
      ...{ differential: false, signMethod: 'MD5' as const, status: PACKAGE_STATUS.notNeeded },
      ...{ verifyProgress: 0, createdAt: now, modifiedAt: now },
      files: [{ key, size: 43, sign: 'x', md5: 'x' }],
    },
    locators: [locator],
    storedAfter: 0,
    maxPackages: 10,
  });
  expect(outcome.kind).toBe('claimed');
}
