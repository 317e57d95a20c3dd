import { formatDateV4 } from '../../../src/signatures/credential-v4.ts';
import { aliOss } from '../../support/ali-oss.ts';
import { signUrlV1, signUrlV4 } from '../../support/signed-url.ts';
import { BUCKET, BUCKET_KEY, NOW, REGION, validForm, validFormV4 } from './post/form.ts';
import { startOss } from './post/start.ts';
import type { Oss } from './post/start.ts';
import { startTestGateway } from '../../support/gateways.ts';

// The helpers sign with the previous key.
const NEW = { ossAccessKeyId: 'newid', ossAccessKeySecret: 'newsecret' };
const PREVIOUS = {
  ossPreviousAccessKeyId: BUCKET_KEY.id,
  ossPreviousAccessKeySecret: BUCKET_KEY.secret,
};
const KEY = 'dir/firmware.bin';

let oss: Oss;

beforeAll(async () => {
  oss = await startOss({ ...NEW, ...PREVIOUS });
});
afterAll(() => oss.close());

it.each([
  ['V1', validForm],
  ['V4', validFormV4],
])('accepts a form that the previous key has signed by %s', async (_version, form) => {
  expect((await oss.post(form())).status).toBe(204);
});

it.each([
  ['V1', (options: Signing) => signUrlV1({ ...options, expires: NOW / 1000 + 60 })],
  [
    'V4',
    (options: Signing) =>
      signUrlV4({ ...options, region: REGION, date: formatDateV4(NOW), expires: 60 }),
  ],
])('accepts a URL that the previous key has signed by %s', async (_version, sign) => {
  await oss.post(validForm());
  const { id: accessKeyId, secret } = BUCKET_KEY;
  const pairs = sign({ accessKeyId, secret, bucket: BUCKET, key: KEY, method: 'GET' });
  const path = `/${KEY}?${new URLSearchParams(pairs).toString()}`;
  expect(await oss.send({ path })).toMatchObject({ status: 200, body: 'firmware' });
});

type Signing = Pick<
  Parameters<typeof signUrlV1>[0],
  'accessKeyId' | 'secret' | 'bucket' | 'key' | 'method'
>;

it.each([
  ['V1', false],
  ['V4', true],
])('accepts a header that the previous key has signed by %s', async (_version, authorizationV4) => {
  await using gateway = await startTestGateway({ ...NEW, ...PREVIOUS });
  const client = aliOss({
    accessKeyId: BUCKET_KEY.id,
    accessKeySecret: BUCKET_KEY.secret,
    authorizationV4,
    bucket: BUCKET,
    endpoint: (await gateway.listen()).url,
    region: `oss-${REGION}`,
  });
  expect((await client.put('dir/by-header.bin', Buffer.from('header'))).res.status).toBe(200);
  expect(String((await client.get('dir/by-header.bin')).content)).toBe('header');
});

it('signs with the present key only', async () => {
  const grant = await oss.gateway.api.generateOTAUploadURL();
  expect(grant).toMatchObject({ accessKeyId: 'newid' });
});

it('refuses the previous key with another secret, and a key that it does not know', async () => {
  const form = validForm();
  form.fields.set('OSSAccessKeyId', BUCKET_KEY.id).set('Signature', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=');
  expect((await oss.post(form)).xml['Code']).toBe('SignatureDoesNotMatch');
  form.fields.set('OSSAccessKeyId', 'another');
  expect((await oss.post(form)).xml['Code']).toBe('InvalidAccessKeyId');
});
