import request from 'supertest';
import { exchangeRaw, rawRequest } from '../../../support/raw-exchange.ts';
import { startOss } from './start-oss.ts';
import type { Oss } from './start-oss.ts';

const BODY = 'firmware';
const BEFORE = 'Thu, 17 Nov 2005 18:49:57 GMT';

/** Elements of errors that clients read, as recordings of OSS have them (see the comments of the error table). */
describe('an error of OSS', () => {
  let oss: Oss;

  beforeAll(async () => {
    oss = await startOss();
    await oss.store('k', BODY);
  });
  afterAll(() => oss[Symbol.asyncDispose]());

  it.each([
    ['an absent object', 'none', 404, 'NoSuchKey', '0026-00000001'],
    ['an object behind a precondition', 'k', 412, 'PreconditionFailed', undefined],
  ] as const)(
    'in the response to HEAD has its document in x-oss-err: %s',
    async (_, key, status, code, ec) => {
      const head = (method: string) => {
        const url = oss.sign(key, { method });
        const sent = method === 'HEAD' ? request(oss.app).head(url) : request(oss.app).get(url);
        return sent.set('If-Match', '"other"');
      };
      const response = await head('HEAD');
      const document = Buffer.from(response.get('x-oss-err') ?? '', 'base64').toString('utf8');
      expect([response.status, response.get('x-oss-ec')]).toEqual([status, ec]);
      expect(document).toMatch(new RegExp(`^<\\?xml .*\\n<Error>\\n  <Code>${code}</Code>\\n`));
      const body = (await head('GET')).text;
      const withoutId = (xml: string): string =>
        xml.replace(/<RequestId>.*<\/RequestId>|<Host.*/g, '');
      expect(withoutId(document)).toBe(withoutId(body));
    },
  );

  it('in the response to GET has no x-oss-err', async () => {
    const response = await request(oss.app).get(oss.sign('none'));
    expect([response.status, response.get('x-oss-err')]).toEqual([404, undefined]);
  });

  it('in a header leaves out elements that would make the header too long', async () => {
    const name = `x-oss-meta-${'a'.repeat(6000)}`;
    const response = await request(oss.app)
      .head('/k')
      .set({
        Date: new Date(oss.clock.now()).toUTCString(),
        Authorization: `OSS ${oss.accessKey.id}:x`,
      })
      .set(name, 'v');
    const document = Buffer.from(response.get('x-oss-err') ?? '', 'base64').toString('utf8');
    expect(response.status).toBe(403);
    expect(document).toContain('<Code>SignatureDoesNotMatch</Code>');
    expect(document).toContain('<EC>0002-00000040</EC>');
    expect(document).not.toContain('<StringToSign>');
    expect(document.length).toBeLessThan(1024);
  });

  it.each([
    ['If-Match', '"other"'],
    ['If-Unmodified-Since', BEFORE],
  ])('names the failed condition: %s', async (name, value) => {
    const response = await request(oss.app).get(oss.sign('k')).set(name, value);
    expect(response.status).toBe(412);
    expect(response.text).toContain(`  <Condition>${name}</Condition>\n`);
  });

  it('for another bucket has the fine-grained code of NoSuchBucket', async () => {
    const host = 'other.oss-cn-shanghai.aliyuncs.com';
    const response = await request(oss.app).get('/k').set('Host', host);
    expect([response.status, response.get('x-oss-ec')]).toEqual([404, '0015-00000101']);
  });

  it('for an unknown access key has the fine-grained code of InvalidAccessKeyId', async () => {
    const url = oss.sign('k').replace(oss.accessKey.id, 'nobody');
    const response = await request(oss.app).get(url);
    expect([response.status, response.get('x-oss-ec')]).toEqual([403, '0002-00000902']);
  });

  it.each([
    ['cn-hangzhou', 'oss', 'Invalid signing region in Authorization header.', '0002-00000226'],
    ['cn-shanghai', 's3', 'Invalid signing product in Authorization header.', '0002-00000227'],
  ])(
    'says what is wrong with the V4 credential of %s and %s',
    async (region, product, text, ec) => {
      const now = new Date(oss.clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
      const credential = `${oss.accessKey.id}/${now.slice(0, 8)}/${region}/${product}/aliyun_v4_request`;
      const response = await request(oss.app)
        .get('/k')
        .set({
          'x-oss-date': now,
          'x-oss-content-sha256': 'UNSIGNED-PAYLOAD',
          Authorization: `OSS4-HMAC-SHA256 Credential=${credential},Signature=0`,
        });
      expect([response.status, response.get('x-oss-ec')]).toEqual([400, ec]);
      expect(response.text).toContain(`<Message>${text}</Message>`);
      expect(response.text).toContain(`<ArgumentValue>${credential}</ArgumentValue>`);
    },
  );
});

describe('a body of OSS without a length', () => {
  let oss: Oss;

  beforeAll(async () => (oss = await startOss()));
  afterAll(() => oss[Symbol.asyncDispose]());

  it.each([
    ['PUT', '/k', {}],
    ['POST', '/', { 'Content-Type': 'multipart/form-data; boundary=b' }],
  ])('is refused with 411: %s', async (method, path, headers) => {
    await using server = await oss.listen();
    const target = method === 'PUT' ? oss.sign('k', { method }) : path;
    const response = await exchangeRaw(
      server.port,
      rawRequest(`${method} ${target}`, { Host: 'h', ...headers }),
    );
    const text = response.toString('latin1');
    expect(text).toMatch(/^HTTP\/1\.1 411 /);
    expect(text).toContain('<Code>MissingContentLength</Code>');
  });
});
