// An Express app that calls the platform with Alibaba Cloud's SDK. In the test only its endpoint differs.
import { http, HttpResponse, passthrough } from 'msw';
import { setupServer } from 'msw/node';
import { startTestGateway } from 'ota-upload-gateway/testing';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createApp } from './app.js';

// msw stands for all other services; requests to this machine pass.
const chat = [];
const others = setupServer(
  http.all(/^http:\/\/127\.0\.0\.1:/, () => passthrough()),
  http.post('https://chat.example/hook', async ({ request }) => {
    chat.push(await request.text());
    return new HttpResponse();
  }),
);

let gateway;
let app;

beforeAll(async () => {
  others.listen({ onUnhandledRequest: 'error' });
  gateway = await startTestGateway();
  const { url } = await gateway.listen();
  const { id: accessKeyId, secret: accessKeySecret } = gateway.accessKey;
  app = createApp({
    platform: { endpoint: new URL(url).host, protocol: 'http', accessKeyId, accessKeySecret },
    chatUrl: 'https://chat.example/hook',
  });
});
afterEach(async () => {
  vi.useRealTimers();
  chat.length = 0;
  await gateway.reset();
});
afterAll(async () => {
  others.close();
  await gateway.close();
});

const release = (version) =>
  request(app)
    .post(`/releases/lamp/${version}`)
    .set('Content-Type', 'application/octet-stream')
    .send(Buffer.from('firmware'));

it('stages a release that is still there a day later', async () => {
  const { body } = await release('1.0.0').expect(201);
  expect(chat).toEqual(['lamp 1.0.0 is staged']);
  gateway.clock.advance({ days: 1 });
  expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: 0 });
  expect((await gateway.snapshot()).uploads).toMatchObject([{ key: body.key, state: 'claimed' }]);
});

it('leaves the file of a failed claim to the purge', async () => {
  gateway.faults.next('CreateOTAFirmware', { code: 'iot.firmware.SystemBusy' });
  const { body } = await release('1.0.0').expect(502);
  expect(body.error).toBe('iot.firmware.SystemBusy');
  expect(chat).toEqual([]);
  gateway.clock.advance({ minutes: 61 });
  expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: 1 });
});

it('tries an upload again after ten seconds, which a fake timer skips', async () => {
  gateway.faults.next('PostObject', { code: 'ServiceUnavailable' });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const started = vi.spyOn(globalThis, 'setTimeout');
  const released = release('1.0.0').then((response) => response.status);
  // The SDK has timers, too; this one is the app's.
  while (!started.mock.calls.some(([, ms]) => ms === 10_000)) await new Promise(setImmediate);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await released).toBe(201);
});
