import request from 'supertest';
import type { Response } from 'supertest';
import type { TestGateway, TestGatewayOptions } from '../../../src/testing/index.ts';
import { call, createPackage } from './api.ts';
import type { Key, SignedForm } from './api.ts';
import { startTestGateway } from '../../support/gateways.ts';

const ACME = { id: 'acme-key', secret: 'acmesecret' };
const GLOBEX = { id: 'globex-key', secret: 'globexsecret' };

let gateway: TestGateway;

async function start(options: TestGatewayOptions = {}, acme: object = {}): Promise<void> {
  const accounts = [
    { id: 'acme', accessKeys: [ACME], ...acme },
    { id: 'globex', accessKeys: [GLOBEX] },
  ];
  gateway = await startTestGateway({ ...options, parts: { accounts } });
}

afterEach(() => gateway.close());

/** @returns the form, or the refusal */
async function sign(key: Key = ACME): Promise<SignedForm & { Code?: string; text: string }> {
  const { body, status } = await call(gateway, 'GenerateOTAUploadURL', {}, key);
  expect(status).toBe(200);
  return { ...body.Data, Code: body.Code, text: body.ErrorMessage };
}

async function codeWhenSigning(key?: Key): Promise<unknown> {
  return (await sign(key)).Code ?? 'ok';
}

function post(form: SignedForm, bytes: string): Promise<Response> {
  return request(gateway.app)
    .post('/')
    .field('key', form.Key)
    .field('policy', form.Policy)
    .field('OSSAccessKeyId', form.OSSAccessKeyId)
    .field('signature', form.Signature)
    .attach('file', Buffer.from(bytes), { filename: 'fw.bin' })
    .then((response) => response);
}

async function statusOf(bytes: string): Promise<number> {
  return (await post(await sign(), bytes)).status;
}

it('limits the uploads of an account, and says limit, use and setting', async () => {
  await start({ maxAccountUploads: 2 });
  await createPackage(gateway, {}, ACME);
  expect(await codeWhenSigning()).toBe('ok');
  expect(await sign()).toMatchObject({
    Code: 'Throttling.Limit',
    text:
      'The request is refused by a limit of this gateway. The account acme has 2 uploads that are issued, stored or ' +
      'claimed. The limit is 2 (OTA_GATEWAY_MAX_ACCOUNT_UPLOADS, or maxUploads in the accounts file).',
  });
  expect(await codeWhenSigning(GLOBEX)).toBe('ok');
});

it('limits the bytes of an account when signing, and when storing', async () => {
  await start({}, { maxBytes: 10 });
  const early = await sign();
  expect(await statusOf('12345678')).toBe(204);
  const refused = await post(early, '123');
  expect(refused.status).toBe(403);
  expect(refused.text).toContain('<Code>AccessDenied</Code>');
  expect(refused.text).toContain(
    'The limit is 10 (OTA_GATEWAY_MAX_ACCOUNT_BYTES, or maxBytes in the accounts file).',
  );
  expect((await post(early, '12')).status).toBe(204);
  expect(await codeWhenSigning()).toBe('Throttling.Limit');
  // Replaces the 2 bytes that it has, and needs no more.
  expect((await post(early, '34')).status).toBe(204);
  expect((await post(early, '345')).status).toBe(403);
});

it('has room again after a purge, a deletion and a reset', async () => {
  await start({ maxAccountUploads: 1 });
  expect(await statusOf('unclaimed')).toBe(204);
  expect(await codeWhenSigning()).toBe('Throttling.Limit');
  gateway.clock.advance({ hours: 2 });
  await gateway.purgeUnclaimed();
  const firmware = await createPackage(gateway, {}, ACME);
  expect(await codeWhenSigning()).toBe('Throttling.Limit');
  await call(gateway, 'DeleteOTAFirmware', { FirmwareId: firmware }, ACME);
  expect(await codeWhenSigning()).toBe('ok');
  expect(await codeWhenSigning()).toBe('Throttling.Limit');
  gateway.clock.advance({ days: 2 });
  await gateway.purgeUnclaimed();
  expect(await codeWhenSigning()).toBe('ok');
  await gateway.uploads.forgetAll();
  gateway.clock.advance({ hours: 1 });
  expect(await codeWhenSigning()).toBe('ok');
});

it('limits the bucket over all accounts, and for uploads whose policy was not signed here', async () => {
  await start({ maxBucketUploads: 3, maxBucketBytes: 6 });
  await createPackage(gateway, {}, GLOBEX).catch(() => undefined);
  const { uploads } = gateway;
  await uploads.forgetAll();
  const bytes = (text: string): AsyncIterable<Uint8Array> => chunksOf(text);
  await uploads.deposit({ key: 'own/1', bytes: bytes('1234') });
  await expect(uploads.deposit({ key: 'own/2', bytes: bytes('123') })).rejects.toMatchObject({
    code: 'limit',
    message: expect.stringContaining('OTA_GATEWAY_MAX_BUCKET_BYTES'),
  });
  await uploads.deposit({ key: 'own/2', bytes: bytes('12') });
  expect(await codeWhenSigning(GLOBEX)).toBe('Throttling.Limit');
});

async function* chunksOf(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  for (const letter of text) yield Promise.resolve(Buffer.from(letter));
}

it('never lets uploads at the same time exceed a limit together', async () => {
  await start({ maxAccountBytes: 100, maxAccountUploads: 20 });
  const codes = await Promise.all(Array.from({ length: 30 }, () => codeWhenSigning()));
  expect(codes.filter((code) => code === 'ok')).toHaveLength(20);
  await gateway.uploads.forgetAll();
  const forms = [];
  for (let number = 0; number < 19; number += 1) forms.push(await sign());
  const responses = await Promise.all(forms.map((form) => post(form, 'x'.repeat(30))));
  const stored = responses.filter(({ status }) => status === 204).length;
  expect(stored).toBeGreaterThan(0);
  expect(stored).toBeLessThanOrEqual(3);
  expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([204, 403]));
});

it('limits the files that an account sends at the same time', async () => {
  await start({ maxAccountConcurrent: 1 });
  const [slow, other] = [await sign(), await sign()];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* held(): AsyncGenerator<Uint8Array, void, undefined> {
    yield Buffer.from('first');
    await released;
  }
  const sending = gateway.uploads.deposit({ key: slow.Key, bytes: held() });
  // Until the first byte is read.
  while ((await codeWhenSigning()) === 'ok');
  expect((await post(other, 'x')).text).toContain('OTA_GATEWAY_MAX_ACCOUNT_CONCURRENT');
  expect(await codeWhenSigning(GLOBEX)).toBe('ok');
  release();
  await sending;
  expect((await post(other, 'x')).status).toBe(204);
});

it('limits the forms that are signed for an account within a second', async () => {
  await start({ maxAccountRate: '2' });
  const codes = await Promise.all(Array.from({ length: 4 }, () => codeWhenSigning()));
  expect(codes.sort()).toEqual(['Throttling.Limit', 'Throttling.Limit', 'ok', 'ok']);
  expect(await codeWhenSigning(GLOBEX)).toBe('ok');
});

it('lets an account be without a limit that is the default', async () => {
  await start({ maxAccountUploads: 1 }, { maxUploads: 'off' });
  expect([await codeWhenSigning(), await codeWhenSigning()]).toEqual(['ok', 'ok']);
  expect(await codeWhenSigning(GLOBEX)).toBe('ok');
  expect(await codeWhenSigning(GLOBEX)).toBe('Throttling.Limit');
});

it('does not read the ledger for limits when there are none', async () => {
  await start();
  const watching = jest.spyOn(gateway.records.ledger, 'watch');
  expect(await statusOf('x')).toBe(204);
  expect(watching).not.toHaveBeenCalled();
});
