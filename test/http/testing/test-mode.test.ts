import { join } from 'node:path';
import request from 'supertest';
import { parseConfig } from '../../../src/config/config.ts';
import type { Gateway } from '../../../src/gateway.ts';
import { AdjustableClock } from '../../../src/lib/clock.ts';
import type { TestGateway } from '../../../src/testing/index.ts';
import { BASE, controlsOf } from './controls.ts';
import { createGateway, startTestGateway } from '../../support/gateways.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway({ testMode: true });
});

afterEach(() => gateway.close());

const { get, post, put } = controlsOf(() => gateway);

const START = '2024-01-01T00:00:00.000Z';

describe('/_gateway/test/clock', () => {
  it('reads, sets, advances, freezes and unfreezes the clock', async () => {
    expect((await get('/clock')).body).toEqual({ time: START, frozen: false, offset: 0 });
    const moved = await post('/clock/advance', { hours: 1, minutes: 1 });
    expect(moved.body).toEqual({
      time: '2024-01-01T01:01:00.000Z',
      frozen: false,
      offset: 3_660_000,
    });
    expect((await put('/clock', { time: '2030-06-01T12:00:00+02:00' })).body.time).toBe(
      '2030-06-01T10:00:00.000Z',
    );
    expect((await put('/clock', { time: 0 })).body.time).toBe('1970-01-01T00:00:00.000Z');
    expect((await post('/clock/freeze')).body).toMatchObject({ frozen: true });
    gateway.clock.advance({ minutes: 5 });
    expect((await get('/clock')).body.time).toBe('1970-01-01T00:00:00.000Z');
    expect((await post('/clock/unfreeze')).body).toMatchObject({ frozen: false });
    gateway.clock.advance({ minutes: 5 });
    expect((await get('/clock')).body.time).toBe('1970-01-01T00:05:00.000Z');
  });

  it.each([
    ['/clock/advance', { weeks: 1 }, 'Unrecognized key: "weeks"'],
    ['/clock/advance', { minutes: 'many' }, 'minutes: '],
  ])('refuses %s %j', async (path, body, message) => {
    const response = await post(path, body);
    expect(response.status).toBe(400);
    expect(response.body.error).toContain(message);
  });

  it('refuses an invalid time', async () => {
    const answer = await put('/clock', { time: 'tomorrow' });
    expect([answer.status, answer.body]).toEqual([
      400,
      { error: 'time: expected a date like 2024-04-01T12:00:00Z, or Unix milliseconds' },
    ]);
  });

  it('moves the clock of the gateway', async () => {
    const { grant } = await gateway.seed({ state: 'issued' });
    await post('/clock/advance', { seconds: 61 });
    expect(await gateway.postObject(grant, 'x')).toMatchObject({ code: 'AccessDenied' });
  });
});

describe('/_gateway/test/purge', () => {
  it('purges what is due by the moved clock', async () => {
    await gateway.seed({ state: 'stored' });
    expect((await post('/purge')).body).toEqual({ purged: 0, failed: 0, bytes: 0 });
    await post('/clock/advance', { minutes: 60 });
    expect((await post('/purge')).body).toEqual({ purged: 1, failed: 0, bytes: 8 });
  });
});

describe('/_gateway/test/faults', () => {
  it('injects, lists, cancels and clears faults', async () => {
    const order = { operation: 'PostObject', code: 'InternalError', key: '*.bin', times: 2 };
    expect((await post('/faults', order)).body).toEqual({ id: 1 });
    await post('/faults', { operation: 'QueryOTAFirmware', delay: { seconds: 2 }, rate: 0.5 });
    const { body } = await get('/faults');
    expect(body.faults).toEqual([
      {
        id: 1,
        operation: 'PostObject',
        fault: { kind: 'refuse', code: 'InternalError', details: {} },
        times: 2,
        key: '*.bin',
        taken: 0,
      },
      {
        id: 2,
        operation: 'QueryOTAFirmware',
        fault: { kind: 'delay', time: 2000 },
        rate: 0.5,
        seed: 1,
        taken: 0,
      },
    ]);
    await request(gateway.app).delete(`${BASE}/faults/1`).expect(200);
    await request(gateway.app).delete(`${BASE}/faults/1`).expect(404);
    await request(gateway.app).delete(`${BASE}/faults`).expect(200, { faults: [] });
  });

  it('lets one request fail by default', async () => {
    const { grant } = await gateway.seed({ state: 'issued' });
    await post('/faults', { operation: 'PostObject', code: 'InternalError' });
    expect(await gateway.postObject(grant, 'x')).toMatchObject({ status: 500 });
    expect(await gateway.postObject(grant, 'x')).toMatchObject({ status: 200 });
  });

  it('refuses an unknown name with the list of known ones', async () => {
    const answer = await post('/faults', { operation: 'PostObject', code: 'Nonsense' });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(/^PostObject has no error "Nonsense"; it has AccessDenied, /);
  });

  it('refuses invalid JSON', async () => {
    await request(gateway.app)
      .post(`${BASE}/faults`)
      .type('json')
      .send('{nonsense')
      .expect(400, /JSON/);
  });
});

describe('/_gateway/test/snapshot and reset', () => {
  it('show and remove everything', async () => {
    const { key } = await gateway.seed({ state: 'claimed' });
    await post('/clock/advance', { days: 1 });
    await post('/faults', { operation: 'PostObject', code: 'InternalError' });
    expect((await get('/snapshot')).body).toMatchObject({
      time: '2024-01-02T00:00:00.000Z',
      uploads: [{ key, state: 'claimed' }],
      packages: [{ firmwareName: 'seed1' }],
    });
    expect((await post('/reset')).body).toEqual({ time: START, uploads: [], packages: [] });
    expect((await get('/faults')).body).toEqual({ faults: [] });
  });
});

describe('/_gateway/test/packages', () => {
  it('sets the status that devices would report', async () => {
    const { firmwareId = '' } = await gateway.seed({ state: 'claimed' });
    const verdict = { status: 'verified', verifyProgress: 100 };
    const response = await put(`/packages/${firmwareId}/status`, verdict);
    expect(response.body).toEqual({ firmwareId, ...verdict });
    expect(await gateway.api.queryOTAFirmware({ firmwareId })).toMatchObject({
      status: 1,
      verifyProgress: 100,
    });
    expect((await put('/packages/nothing/status', verdict)).status).toBe(404);
    const wrong = await put(`/packages/${firmwareId}/status`, { status: 'good' });
    expect(wrong.body.error).toContain('notNeeded, unverified, verified, verifying, failed');
  });
});

describe('the test controls', () => {
  it('answer an unknown path with 404', async () => {
    const answer = await get('/weather');
    expect([answer.status, answer.body]).toEqual([
      404,
      { error: 'there is no GET /_gateway/test/weather' },
    ]);
  });

  it('refuse web pages of other origins', async () => {
    await request(gateway.app)
      .get(`${BASE}/clock`)
      .set('Origin', 'http://localhost:3000')
      .expect(200);
    await request(gateway.app)
      .post(`${BASE}/reset`)
      .set('Origin', 'https://example.com')
      .expect(403, { error: 'the test controls are not for web pages of https://example.com' });
  });

  it('are off while test mode is off', async () => {
    await using normal = await startTestGateway();
    for (const path of ['', '/clock', '/reset']) {
      const response = await request(normal.app).post(BASE + path);
      expect(response.status).toBe(403);
      expect(response.body.error).toMatch(/^test mode is off; start the gateway with --test-mode/);
    }
  });
});

describe('the settings of test mode', () => {
  it.each(['127.0.0.1', '127.8.9.1', 'localhost', '::1'])('allow %s', (host) => {
    expect(parseConfig({ testMode: true, host })).toMatchObject({ testMode: true });
  });

  it.each(['0.0.0.0', '::', '192.168.1.5', 'gateway.example', '127.0.0.1.example'])(
    'allow %s only with a second setting',
    (host) => {
      expect(() => parseConfig({ testMode: 'on', host })).toThrow(
        `testMode: ${host} is not a loopback address`,
      );
      parseConfig({ testMode: 'on', testModeRemote: 'on', host });
      parseConfig({ host });
    },
  );
});

describe('a gateway in test mode', () => {
  let real: Gateway;

  afterEach(() => real.close());

  it('follows the wall clock until its clock is set', async () => {
    real = await createGateway({ testMode: true, dataDir: join(gateway.dataDir, 'real') });
    const before = Date.now();
    const { body } = await request(real.app).get(`${BASE}/clock`);
    expect(Date.parse(body.time)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(body.time)).toBeLessThanOrEqual(Date.now());
  });
});

describe('an adjustable clock', () => {
  it('continues from its current time', () => {
    let base = 1000;
    const clock = new AdjustableClock({ now: () => base });
    clock.freeze();
    clock.advance({ seconds: 1 });
    base += 5;
    expect([clock.now(), clock.isFrozen, clock.offset]).toEqual([2000, true, 995]);
    clock.unfreeze();
    clock.unfreeze();
    base += 5;
    expect([clock.now(), clock.isFrozen]).toEqual([2005, false]);
    clock.set(new Date(7));
    base += 1;
    expect(clock.now()).toBe(8);
    clock.reset();
    expect([clock.now(), clock.offset]).toEqual([base, 0]);
  });
});
