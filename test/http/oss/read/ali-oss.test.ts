import type { TestGateway } from '../../../../src/testing/index.ts';
import { aliOss } from '../../../support/ali-oss.ts';
import type { AliOss } from '../../../support/ali-oss.ts';
import { startTestGateway } from '../../../support/gateways.ts';

const KEY = 'a b/固件+%2B.bin';
const BODY = Buffer.from('hello');
const TYPE = 'text/x y';

function connect(gateway: TestGateway, endpoint: string, options: object): AliOss {
  return aliOss({
    endpoint,
    region: `oss-${gateway.config.region}`,
    bucket: gateway.config.bucket,
    accessKeyId: gateway.bucketKey.id,
    accessKeySecret: gateway.bucketKey.secret,
    ...options,
  });
}

it.each([
  [1, false],
  [4, true],
])(
  'serves put, get and delete of ali-oss with signature version %d',
  async (version, authorizationV4) => {
    await using gateway = await startTestGateway();
    const { url } = await gateway.listen();
    const client = connect(gateway, url, { authorizationV4 });

    const put = await client.put(KEY, BODY, {
      meta: { version: '1.2.3' },
      headers: { 'Content-MD5': 'XUFAKrxLKna5cZ2REBfFkg==' },
    });
    expect(put.res).toMatchObject({
      status: 200,
      headers: { etag: '"5D41402ABC4B2A76B9719D911017C592"' },
    });
    expect((await client.get(KEY)).content).toEqual(BODY);
    const part = await client.get(KEY, { headers: { Range: 'bytes=1-2' } });
    expect(String(part.content)).toBe('el');
    expect((await client.head(KEY)).meta).toEqual({ version: '1.2.3' });
    expect((await client.getObjectMeta(KEY)).res.headers['content-length']).toBe('5');

    // ali-oss signs URLs only for host names.
    const named = connect(gateway, url.replace('127.0.0.1', 'localhost'), { cname: true });
    const signed =
      version === 1
        ? named.signatureUrl(KEY, { response: { 'content-type': TYPE } })
        : await named.signatureUrlV4(
            'GET',
            60,
            { queries: { 'response-content-type': TYPE } },
            KEY,
          );
    const download = await fetch(signed.replace('localhost', '127.0.0.1'));
    expect(download.status).toBe(200);
    expect(download.headers.get('content-type')).toBe(TYPE);
    expect(await download.text()).toBe('hello');

    expect((await client.delete(KEY)).res.status).toBe(204);
    await expect(client.get(KEY)).rejects.toMatchObject({ status: 404, code: 'NoSuchKey' });
    const stranger = connect(gateway, url, { authorizationV4, accessKeySecret: 'x' });
    await expect(stranger.get(KEY)).rejects.toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch',
    });
  },
);
