import { get as httpGet } from 'node:http';
import express from 'express';
import request from 'supertest';
import type { Response } from 'supertest';
import type { TestGateway } from '../../../src/testing/index.ts';
import { BASE, controlsOf } from './controls.ts';
import { startTestGateway } from '../../support/gateways.ts';

const UNKNOWN = 'ota/none/none.bin';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway({ testMode: true });
});

afterEach(() => gateway.close());

const { get, post } = controlsOf(() => gateway);

describe('POST /_gateway/test/grants', () => {
  it('returns a form that can be posted as it is', async () => {
    const { body, status } = await post('/grants', { fileSuffix: 'zip' });
    expect(status).toBe(201);
    expect(body).toEqual({
      host: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      key: expect.stringMatching(/^ota\/\w+\/\w+\.zip$/),
      fields: {
        key: body.key,
        policy: expect.any(String),
        OSSAccessKeyId: 'bucketid',
        signature: expect.any(String),
        success_action_status: '200',
      },
      firmwareUrl: `${body.host}/${body.key}`,
    });
    const posted = await request(gateway.app)
      .post('/')
      .field(body.fields)
      .attach('file', Buffer.from('firmware'), 'fw.zip');
    expect(posted.status).toBe(200);
    expect((await get(`/uploads/${body.key}`)).body).toMatchObject({ state: 'stored', size: 8 });
  });

  it('names the path below which the gateway is mounted', async () => {
    const app = express().use('/ota', gateway.app);
    const { body } = await request(app).post(`/ota${BASE}/grants`).expect(201);
    expect(body.host).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/ota$/);
    const posted = await request(app)
      .post('/ota/')
      .field(body.fields)
      .attach('file', Buffer.from('x'), 'x');
    expect(posted.status).toBe(200);
    const claimed = await gateway.api.createOTAFirmware({
      firmwareName: 'one',
      destVersion: '1',
      firmwareUrl: `${gateway.url}/${String(body.key)}`,
    });
    expect(claimed.firmwareId).toBeDefined();
  });

  it.each([
    [{ fileSuffix: 'exe' }, /fileSuffix: /],
    [{ suffix: 'bin' }, /Unrecognized key: "suffix"/],
    [{ accessKeyId: 'nobody' }, /there is no access key nobody/],
  ])('refuses %j', async (body, message) => {
    const response = await post('/grants', body);
    expect([response.status, response.body]).toEqual([
      400,
      { error: expect.stringMatching(message) },
    ]);
  });

  it('gives the error of the API when a fault refuses the call', async () => {
    gateway.faults.next('GenerateOTAUploadURL', { code: 'Throttling.User' });
    const response = await post('/grants');
    expect([response.status, response.body.error]).toEqual([
      400,
      expect.stringMatching(/^Throttling\.User: /),
    ]);
  });
});

describe('POST /_gateway/test/seed', () => {
  it.each(['issued', 'stored', 'claimed', 'purging', 'purged'])('makes one %s', async (state) => {
    const before = gateway.clock.now();
    const { body, status } = await post('/seed', {
      state,
      base64: Buffer.from([0, 255, 1]).toString('base64'),
      age: { minutes: 5 },
      upload: { fileSuffix: 'tar.gz' },
      firmware: { firmwareName: 'lamp', destVersion: '2.0.0' },
    });
    expect(status).toBe(201);
    expect(body.key).toMatch(/\.tar\.gz$/);
    const { body: found } = await get(`/uploads/${encodeURIComponent(body.key)}`);
    expect(found).toMatchObject({ key: body.key, state });
    expect(Date.parse(found.issuedAt)).toBe(before - (state === 'purged' ? 60 : 5) * 60_000);
    if (state !== 'issued') expect(found.size).toBe(3);
    expect(body.firmwareId !== undefined).toBe(['claimed', 'purging'].includes(state));
    expect((await get('/clock')).body).toMatchObject({ offset: 0 });
  });

  it('makes the same as the kit', async () => {
    await post('/seed', { state: 'claimed', text: 'firmware' });
    const one = await gateway.snapshot();
    await using other = await startTestGateway();
    await other.seed({ state: 'claimed' });
    expect(await other.snapshot()).toEqual(one);
  });

  it.each([
    [{}, /state: expected one of issued, stored/],
    [{ state: 'stored', text: 'a', base64: 'YQ==' }, /give text or base64, not both/],
    [{ state: 'stored', base64: '?' }, /base64: /],
    [{ state: 'stored', age: { days: 1e9 } }, /the clock can stand from/],
    [{ state: 'claimed', text: '' }, /^iot\./],
    [{ state: 'claimed', firmware: { signMethod: 'MD4' } }, /firmware\.signMethod: /],
  ])('refuses %j', async (body, message) => {
    const response = await post('/seed', body);
    expect([response.status, response.body.error]).toEqual([400, expect.stringMatching(message)]);
  });

  it('reports a file that is refused', async () => {
    gateway.faults.next('PostObject', { code: 'InternalError' });
    const response = await post('/seed', { state: 'stored' });
    expect(response.status).toBe(400);
    expect(response.body.error).toMatch(/^could not post a seed: .*InternalError/s);
  });
});

describe('GET /_gateway/test/uploads/KEY', () => {
  it('answers an unknown key with 404', async () => {
    const response = await get(`/uploads/${UNKNOWN}`);
    expect([response.status, response.body]).toEqual([
      404,
      { error: `there is no upload ${UNKNOWN}` },
    ]);
  });

  it.each([
    ['stored', () => Promise.resolve()],
    ['claimed', ({ key }: { key: string }) => claim(key)],
    [
      'purged',
      async () => {
        gateway.clock.advance({ minutes: 61 });
        await gateway.purgeUnclaimed();
      },
    ],
  ] as const)('waits until the upload is %s', async (state, reach) => {
    const grant = await gateway.api.generateOTAUploadURL();
    const waiting = waitFor(grant.key, state);
    await waiting.begun;
    expect(await gateway.postObject(grant, 'firmware')).toMatchObject({ status: 200 });
    await reach(grant);
    expect((await waiting.response).body).toMatchObject({ key: grant.key, state });
  });

  it('returns at once when the state is reached already', async () => {
    const { key } = await gateway.seed({ state: 'claimed' });
    expect((await get(`/uploads/${key}?wait=stored`)).body).toMatchObject({ state: 'claimed' });
    expect((await get(`/uploads/${key}?wait=claimed`)).status).toBe(200);
  });

  it('says after the timeout which state the upload has', async () => {
    const { key } = await gateway.seed({ state: 'issued' });
    const late = await get(`/uploads/${key}?wait=stored&timeout=0.01`);
    expect([late.status, late.body.error]).toEqual([
      409,
      'the upload is issued, and was not stored within 0.01 seconds',
    ]);
    const unknown = await get(`/uploads/${UNKNOWN}?wait=stored&timeout=0.01`);
    expect(unknown.body.error).toMatch(/^there is no such upload, and was not stored/);
  });

  it.each(['wait=issued', 'wait=stored&timeout=301', 'timeout=x', 'wait=stored&timeout=0', 'a=b'])(
    'refuses ?%s',
    async (query) => {
      expect((await get(`/uploads/${UNKNOWN}?${query}`)).status).toBe(400);
    },
  );

  it('limits how many clients wait, and forgets a client that is gone', async () => {
    const { url } = await gateway.listen();
    const path = `${url}${BASE}/uploads/${UNKNOWN}?wait=stored`;
    const begun = countLookups(100);
    const waiting = Array.from({ length: 100 }, () =>
      httpGet(path, { agent: false }).on('error', () => undefined),
    );
    await begun;
    const refused = await fetch(path);
    expect(refused.status).toBe(429);
    for (const client of waiting) client.destroy();
    for (;;) {
      const { status } = await fetch(`${path}&timeout=0.001`);
      if (status === 409) break;
      expect(status).toBe(429);
    }
  });

  it('answers clients that wait when the gateway stops', async () => {
    const { url } = await gateway.listen();
    const begun = countLookups(1);
    const response = fetch(`${url}${BASE}/uploads/${UNKNOWN}?wait=stored&timeout=60`);
    await begun;
    const closed = gateway.close();
    expect([(await response).status, await (await response).json()]).toEqual([
      503,
      { error: 'the gateway stops' },
    ]);
    await closed;
  });
});

describe('GET /_gateway/test/download-url', () => {
  it('returns a URL that downloads the file until it expires', async () => {
    const { key } = await gateway.seed({ state: 'stored', bytes: 'firmware' });
    const { body } = await get(`/download-url?key=${encodeURIComponent(key)}&expires=60`);
    expect(body).toEqual({
      key,
      url: expect.stringContaining(`/${key}?Expires=`),
      expiresAt: '2024-01-01T00:01:00.000Z',
    });
    expect(await (await gateway.fetch(body.url)).text()).toBe('firmware');
    gateway.clock.advance({ seconds: 62 });
    expect((await gateway.fetch(body.url)).status).toBe(403);
  });

  it.each(['issued', 'purged'] as const)('has none for an upload that is %s', async (state) => {
    const { key } = await gateway.seed({ state });
    const response = await get(`/download-url?key=${key}`);
    expect([response.status, response.body.error]).toEqual([
      404,
      expect.stringContaining(`there is no file: ${state} `),
    ]);
  });
});

describe('POST /_gateway/test/reset', () => {
  it('frees the quotas', async () => {
    await using limited = await startTestGateway({ testMode: true, qps: 1 });
    const calls = (): Promise<unknown> => limited.api.generateOTAUploadURL();
    await calls();
    await expect(calls()).rejects.toMatchObject({ code: 'Throttling.User' });
    await request(limited.app).post(`${BASE}/reset`).expect(200);
    await calls();
  });
});

/** Starts a request that waits. `begun` resolves when it has looked the upload up. */
function waitFor(
  key: string,
  state: string,
): { begun: Promise<void>; response: Promise<Response> } {
  const begun = countLookups(1);
  return { begun, response: get(`/uploads/${key}?wait=${state}`).then((response) => response) };
}

/** @returns once the ledger was asked for uploads this many times */
function countLookups(count: number): Promise<void> {
  const { ledger } = gateway.records;
  const find = ledger.findUpload.bind(ledger);
  let left = count;
  return new Promise((resolve) => {
    jest.spyOn(ledger, 'findUpload').mockImplementation(async (key) => {
      const found = await find(key);
      left -= 1;
      if (left === 0) setImmediate(resolve);
      return found;
    });
  });
}

async function claim(key: string): Promise<void> {
  const firmwareUrl = `${gateway.url}/${key}`;
  await gateway.api.createOTAFirmware({ firmwareName: 'one', destVersion: '1', firmwareUrl });
}
