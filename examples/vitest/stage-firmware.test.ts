import { startTestGateway } from 'ota-upload-gateway/testing';
import type { TestGateway } from 'ota-upload-gateway/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stageFirmware } from './stage-firmware.js';
import type { Grant } from './stage-firmware.js';

let gateway: TestGateway;
let grant: Grant;

beforeEach(async () => {
  gateway = await startTestGateway();
  const { url } = await gateway.listen();
  grant = await gateway.apiFor(url).generateOTAUploadURL();
});
afterEach(() => gateway.close());

const firmware = Buffer.alloc(100_000, 'firmware');

it('stages a file', async () => {
  expect(await stageFirmware(grant, firmware)).toBe(200);
  expect(await gateway.snapshot()).toMatchObject({
    uploads: [{ key: grant.key, state: 'stored', size: 100_000 }],
  });
});

it('tries again after an internal error', async () => {
  gateway.faults.next('PostObject', { code: 'InternalError' }, { times: 2 });
  expect(await stageFirmware(grant, firmware)).toBe(200);
});

it('tries again when the connection breaks in the middle', async () => {
  gateway.faults.next('PostObject', { resetAfter: 50_000 });
  expect(await stageFirmware(grant, firmware)).toBe(200);
});

it('stores the file once when a response is lost', async () => {
  gateway.faults.next('PostObject', { loseAnswer: true });
  expect(await stageFirmware(grant, firmware)).toBe(200);
  const { uploads } = await gateway.snapshot();
  expect(uploads.filter(({ state }) => state === 'stored')).toHaveLength(1);
});

it('gives up in the end', async () => {
  gateway.faults.always('PostObject', { code: 'InternalError' });
  await expect(stageFirmware(grant, firmware)).rejects.toThrow('gave up after 3 tries: 500');
});
