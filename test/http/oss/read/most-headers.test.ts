import { execFile } from 'node:child_process';
import { get } from 'node:http';
import { promisify } from 'node:util';
import { signUrlV1 } from '../../../support/signed-url.ts';
import type { TestGateway } from '../../../../src/testing/index.ts';
import { aliOss } from '../../../support/ali-oss.ts';
import { startTestGateway } from '../../../support/gateways.ts';

const run = promisify(execFile);

const KEY = 'many-headers.bin';
const TYPE = 'application/octet-stream';
const MAX_STORED = 8192;
const MAX_OVERRIDES = 2048;

/** Returns the most headers that can be stored: each has a short name and a value of one character. */
function mostHeaders(): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': TYPE };
  let left = MAX_STORED - 'content-type'.length - TYPE.length;
  for (let n = 0; ; n += 1) {
    const name = `x-oss-meta-${n.toString(36)}`;
    left -= name.length + 1;
    if (left < 0) return headers;
    headers[name] = '1';
  }
}

describe('an object with the most headers that can be stored', () => {
  let gateway: TestGateway;
  let url: string;

  beforeAll(async () => {
    gateway = await startTestGateway();
    ({ url } = await gateway.listen());
    const bytes = (async function* () {
      yield await Promise.resolve(Buffer.from('firmware'));
    })();
    await gateway.uploads.deposit({ key: KEY, bytes, headers: mostHeaders() });
  });

  afterAll(() => gateway.close());

  function sign(query: readonly (readonly [string, string])[]): string {
    const { id, secret } = gateway.bucketKey;
    const { bucket } = gateway.config;
    const expires = Math.floor(gateway.clock.now() / 1000) + 60;
    const options = { accessKeyId: id, secret, bucket, key: KEY, method: 'GET' };
    const pairs = signUrlV1({ ...options, expires, query });
    return `${url}/${KEY}?${new URLSearchParams(pairs).toString()}`;
  }

  const most: [string, string][] = [
    ['response-cache-control', 'x'.repeat(MAX_OVERRIDES - 200)],
    ['response-content-disposition', 'x'.repeat(200 - 'cache-controlcontent-disposition'.length)],
  ];

  it("can be downloaded by Node's client with the most overrides", async () => {
    const [status, count] = await new Promise<[number | undefined, number]>((resolve, reject) => {
      get(sign(most), (response) => {
        response.resume();
        response.once('end', () => {
          const meta = Object.keys(response.headers).filter((name) =>
            name.startsWith('x-oss-meta'),
          );
          resolve([response.statusCode, meta.length]);
        });
      }).once('error', reject);
    });
    expect(status).toBe(200);
    expect(count).toBe(Object.keys(mostHeaders()).length - 1);
  });

  it('can be downloaded by curl', async () => {
    const { stdout } = await run('curl', ['--silent', '--fail', sign(most)]);
    expect(stdout).toBe('firmware');
  });

  it('can be downloaded by fetch and ali-oss', async () => {
    expect(await (await fetch(sign(most))).text()).toBe('firmware');
    const client = aliOss({
      endpoint: url,
      region: `oss-${gateway.config.region}`,
      bucket: gateway.config.bucket,
      accessKeyId: gateway.bucketKey.id,
      accessKeySecret: gateway.bucketKey.secret,
    });
    expect(String((await client.get(KEY)).content)).toBe('firmware');
  });

  it('is refused with more overrides', async () => {
    const response = await fetch(sign([...most, ['response-expires', 'x']]));
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain('<Code>InvalidArgument</Code>');
    expect(text).toContain('Expires');
  });

  it('is refused with one more byte when it is deposited', async () => {
    const read = jest.fn();
    const bytes = (async function* () {
      read();
      yield await Promise.resolve(Buffer.from('x'));
    })();
    const headers = { 'content-type': 'x'.repeat(8181) };
    await expect(gateway.uploads.deposit({ bytes, headers })).rejects.toMatchObject({
      code: 'headersTooLarge',
    });
    expect(read).not.toHaveBeenCalled();
  });

  it('is refused with U+0000 in a header when it is deposited', async () => {
    const bytes = (async function* () {
      yield await Promise.resolve(Buffer.from('x'));
    })();
    const headers = { 'content-type': 'text/\0plain' };
    await expect(gateway.uploads.deposit({ bytes, headers })).rejects.toMatchObject({
      code: 'invalidHeader',
    });
  });
});
