import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';
import type { AliOss } from '../support/ali-oss.ts';
import { aliOss } from '../support/ali-oss.ts';
import { BUCKET_KEY } from '../support/built-gateway.ts';
import { inChunks, md5Hex, patternBytes } from '../support/bytes.ts';
import { FETCH } from '../support/form-dialects.ts';
import { gatewayForSuite } from '../support/suite.ts';

const BUCKET = 'iotx-ota';
const REGION = 'cn-shanghai';
const KEY = "dir a/固件+%2B'(1)~.bin";
const BYTES = patternBytes(3_000_001);
const MINUTE = 60_000;

const errorDocument = z.object({
  Error: z.looseObject({ Code: z.string(), Message: z.string(), RequestId: z.string() }),
});

/** @returns the status and the XML of a refusal, after a comparison with its headers */
async function refusalOf(url: string): Promise<Record<string, unknown>> {
  const response = await fetch(url);
  const { Error: error } = errorDocument.parse(new XMLParser().parse(await response.text()));
  expect(response.headers.get('content-type')).toBe('application/xml');
  expect(response.headers.get('x-oss-request-id')).toBe(error.RequestId);
  expect(response.headers.get('x-oss-ec')).toBe(error['EC']);
  return { status: response.status, ...error };
}

/** Signs at a time in the past: a V4 signature cannot expire before it starts. */
async function inThePast<T>(milliseconds: number, sign: () => Promise<T>): Promise<T> {
  jest.useFakeTimers({ now: Date.now() - milliseconds });
  try {
    return await sign();
  } finally {
    jest.useRealTimers();
  }
}

describe('ali-oss, unmodified, against the built program', () => {
  const gateway = gatewayForSuite();

  /** ali-oss signs URLs for host names only, so this uses localhost. */
  const connect = (options: { authorizationV4?: boolean; accessKeySecret?: string }): AliOss =>
    aliOss({
      endpoint: gateway.url.replace('127.0.0.1', 'localhost'),
      cname: true,
      bucket: BUCKET,
      region: `oss-${REGION}`,
      accessKeyId: BUCKET_KEY.id,
      accessKeySecret: BUCKET_KEY.secret,
      ...options,
    });

  describe.each([
    ['V1', false],
    ['V4', true],
  ])('with signatures %s', (version, authorizationV4) => {
    const signUrl = async (expires = 60, client = connect({})): Promise<string> =>
      version === 'V1'
        ? client.signatureUrl(KEY, { expires })
        : client.signatureUrlV4('GET', expires, undefined, KEY);

    it('puts, gets, streams, describes and deletes an object', async () => {
      const client = connect({ authorizationV4 });
      const etag = `"${md5Hex(BYTES).toUpperCase()}"`;
      const headers = { etag, 'content-length': String(BYTES.length) };

      const put = await client.put(KEY, BYTES, { meta: { version: '1.2.3' } });
      expect(put.res).toMatchObject({ status: 200, headers: { etag } });
      expect((await client.get(KEY)).content.equals(BYTES)).toBe(true);
      const { stream } = await client.getStream(KEY);
      expect((await buffer(stream)).equals(BYTES)).toBe(true);
      const part = await client.get(KEY, { headers: { Range: 'bytes=1000000-1999999' } });
      expect(part.content.equals(BYTES.subarray(1_000_000, 2_000_000))).toBe(true);
      expect(await client.head(KEY)).toMatchObject({
        meta: { version: '1.2.3' },
        res: { headers },
      });
      expect((await client.getObjectMeta(KEY)).res).toMatchObject({ headers });

      const body = Readable.from(inChunks(BYTES.subarray(1), 65_537));
      await client.putStream(KEY, body);
      expect((await client.get(KEY)).content.equals(BYTES.subarray(1))).toBe(true);

      expect((await client.delete(KEY)).res.status).toBe(204);
      await expect(client.get(KEY)).rejects.toMatchObject({ status: 404, code: 'NoSuchKey' });
      await expect(client.head(KEY)).rejects.toMatchObject({ status: 404 });
    });

    it('signs URLs that download, and that fail when they are edited or expired', async () => {
      const client = connect({ authorizationV4 });
      await client.put(KEY, BYTES);
      const download = await fetch(await signUrl());
      expect(download.status).toBe(200);
      expect(Buffer.from(await download.arrayBuffer()).equals(BYTES)).toBe(true);

      const signed = await signUrl();
      const otherKey = signed.replace('/dir', '/dip');
      const stranger = await signUrl(60, connect({ accessKeySecret: 'x' }));
      const signatureDoesNotMatch = {
        status: 403,
        Code: 'SignatureDoesNotMatch',
        Message:
          'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
        OSSAccessKeyId: BUCKET_KEY.id,
        SignatureProvided: expect.any(String) as string,
        StringToSign: expect.any(String) as string,
        StringToSignBytes: expect.stringMatching(/^([0-9A-F]{2} ?)+$/) as string,
      };
      expect(await refusalOf(otherKey)).toMatchObject(signatureDoesNotMatch);
      expect(await refusalOf(stranger)).toMatchObject(signatureDoesNotMatch);

      const late = version === 'V1' ? signUrl(-1) : inThePast(10 * MINUTE, () => signUrl(60));
      expect(await refusalOf(await late)).toMatchObject({
        status: 403,
        Code: 'AccessDenied',
        Message: 'Request has expired.',
        EC: '0002-00000069',
        Expires: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
        ServerTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
      });
      await client.delete(KEY);
    });
  });

  const uploadPolicy = (...conditions: readonly unknown[]): object => ({
    expiration: new Date(Date.now() + MINUTE).toISOString(),
    conditions: [
      { bucket: BUCKET },
      ['eq', '$key', 'forms/a.bin'],
      ['content-length-range', 0, BYTES.length],
      ...conditions,
    ],
  });

  const signV1 = (client: AliOss): [string, string][] =>
    Object.entries(client.calculatePostSignature(uploadPolicy()));

  const signV4 = (client: AliOss): [string, string][] => {
    const date = new Date();
    const written = date.toISOString().replace(/[-:]|\.\d+/g, '');
    const credential = `${BUCKET_KEY.id}/${written.slice(0, 8)}/${REGION}/oss/aliyun_v4_request`;
    const signing = {
      'x-oss-signature-version': 'OSS4-HMAC-SHA256',
      'x-oss-credential': credential,
      'x-oss-date': written,
    };
    const policy = uploadPolicy(
      ...Object.entries(signing).map(([name, value]) => ({ [name]: value })),
    );
    return [
      ...Object.entries(signing),
      ['policy', Buffer.from(JSON.stringify(policy)).toString('base64')],
      ['x-oss-signature', client.signPostObjectPolicyV4(policy, date)],
    ];
  };

  it.each([
    ['calculatePostSignature', signV1],
    ['signPostObjectPolicyV4', signV4],
  ])(
    'signs a form by %s that uploads, and that fails with the secret of another',
    async (_, sign) => {
      const client = connect({});
      const post = (signed: [string, string][], bytes = BYTES): Promise<number> =>
        FETCH.post({
          host: gateway.url,
          fields: [['key', 'forms/a.bin'], ['success_action_status', '201'], ...signed],
          bytes,
          folder: gateway.folder,
        });
      const forged = sign(connect({ accessKeySecret: 'x' }));
      expect(await post(forged, BYTES.subarray(0, 100_000))).toBe(403);
      await expect(client.head('forms/a.bin')).rejects.toMatchObject({ status: 404 });
      expect(await post(sign(client))).toBe(201);
      expect((await client.get('forms/a.bin')).content.equals(BYTES)).toBe(true);
      await client.delete('forms/a.bin');
    },
  );
});
