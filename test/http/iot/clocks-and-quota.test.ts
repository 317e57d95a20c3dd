import type { Account } from '../../../src/accounts/accounts.ts';
import { createQuota } from '../../../src/iot/quota.ts';
import { ManualClock, wallClock } from '../../../src/lib/clock.ts';
import type { TestGateway, TestGatewayOptions } from '../../../src/testing/index.ts';
import { getV1, postV3 } from './api.ts';
import { startTestGateway } from '../../support/gateways.ts';

const ACTION = 'GenerateOTAUploadURL';
const MINUTE = 60_000;

const alice = { id: 'alice', secret: 'alicesecret' };
const bob = { id: 'bob', secret: 'bobsecret' };
const carol = { id: 'carol', secret: 'carolsecret' };
const accounts: Account[] = [
  { id: 'first', accessKeys: [alice, bob] },
  { id: 'second', accessKeys: [carol] },
];

let gateway: TestGateway;

async function start(options: TestGatewayOptions = {}): Promise<TestGateway> {
  gateway = await startTestGateway(options);
  return gateway;
}
afterEach(() => gateway.close());

describe('dates', () => {
  const codeAt = async (time: number, SignatureNonce?: string): Promise<string | undefined> => {
    const common = SignatureNonce === undefined ? {} : { SignatureNonce };
    const options = { key: gateway.accessKey, time, common };
    return (await getV1(gateway.app, ACTION, {}, options)).body.Code;
  };

  it.each([
    [-15 * MINUTE, undefined],
    [15 * MINUTE, undefined],
    [-15 * MINUTE - 1000, 'InvalidTimeStamp.Expired'],
    [15 * MINUTE + 1000, 'InvalidTimeStamp.Expired'],
  ])('are checked: %i ms off gives %p', async (off, code) => {
    const clock = new ManualClock(Date.UTC(2024, 3, 1, 12));
    await start({ clock, parts: { wallClock: clock } });
    expect(await codeAt(clock.now() + off)).toBe(code);
  });

  it('are fresh by the clock of the gateway or by the wall clock', async () => {
    await start({ clock: new ManualClock(Date.UTC(2031, 0, 1)) });
    expect(await codeAt(gateway.clock.now())).toBeUndefined();
    expect(await codeAt(wallClock.now())).toBeUndefined();
    expect(await codeAt(Date.UTC(2029, 0, 1))).toBe('InvalidTimeStamp.Expired');
    const byV3 = await postV3(
      gateway.app,
      ACTION,
      {},
      { key: gateway.accessKey, time: wallClock.now() },
    );
    expect(byV3.status).toBe(200);
  });

  it('do not affect grants, which expire by the clock of the gateway', async () => {
    await start({ clock: new ManualClock(Date.UTC(2031, 0, 1)) });
    const options = { key: gateway.accessKey, time: wallClock.now() };
    const { body } = await getV1(gateway.app, ACTION, {}, options);
    expect(body.Data.UtcCreate).toBe('2031-01-01T00:00:00.000Z');
    const policy = JSON.parse(Buffer.from(body.Data.Policy, 'base64').toString());
    expect(policy.expiration).toBe('2031-01-01T00:01:00.000Z');
  });

  it('keep a nonce while its call can be fresh, however the clock was set', async () => {
    await start();
    const time = wallClock.now();
    expect(await codeAt(time, 'once')).toBeUndefined();
    gateway.clock.advance({ minutes: 61 });
    await gateway.purgeUnclaimed();
    expect(await codeAt(time, 'once')).toBe('SignatureNonceUsed');
  });

  it('keep a nonce when the clock is set forward, a purge runs, and the clock is set back', async () => {
    const clock = new ManualClock(Date.UTC(2024, 3, 1, 12));
    await start({ clock, parts: { wallClock: clock } });
    const time = clock.now();
    expect(await codeAt(time, 'once')).toBeUndefined();
    clock.advance({ hours: 1 });
    await gateway.purgeUnclaimed();
    clock.advance({ hours: -1 });
    expect(await codeAt(time, 'once')).toBe('SignatureNonceUsed');
    await gateway.reset();
    expect(await codeAt(time, 'once')).toBeUndefined();
  });

  it.each([-15, 0, 15])(
    'keep a nonce of %i minutes until its call is stale when there is one clock, and then forget it',
    async (minutes) => {
      const clock = new ManualClock(Date.UTC(2024, 3, 1, 12));
      await start({ clock, parts: { wallClock: clock, monotonicClock: clock } });
      const time = clock.now() + minutes * MINUTE;
      expect(await codeAt(time, 'once')).toBeUndefined();
      clock.set(time + 15 * MINUTE);
      await gateway.purgeUnclaimed();
      expect(await codeAt(time, 'once')).toBe('SignatureNonceUsed');
      for (let turn = 0; turn < 3; turn += 1) {
        clock.advance({ minutes: 31 });
        await gateway.purgeUnclaimed();
      }
      expect(await codeAt(clock.now(), 'once')).toBeUndefined();
    },
  );
});

describe('the quota', () => {
  type Calls = Readonly<Record<string, number>>;

  const callMany = async (action: string, key: typeof alice, times: number): Promise<Calls> => {
    const calls: Record<string, number> = {};
    for (let turn = 0; turn < times; turn += 1) {
      const options = { key, time: gateway.clock.now() };
      const { body, headers } = await getV1(gateway.app, action, {}, options);
      const code: string = body.Code ?? 'ok';
      calls[code] = (calls[code] ?? 0) + 1;
      if (code !== 'Throttling.User') continue;
      expect(body.Message).toMatch(
        /^Request was denied due to user flow control\. \w+ may be called \d+ times? per second and account \(OTA_GATEWAY_QPS\); try again in \d+ ms\.$/,
      );
      expect(Number(headers['x-acs-retry-after'])).toBeGreaterThan(0);
      expect(Number(headers['x-acs-retry-after'])).toBeLessThanOrEqual(1000);
    }
    return calls;
  };

  it('is shared by the keys of an account, and does not affect other accounts', async () => {
    await start({ qps: 'on', parts: { accounts, quota: createQuota() } });
    const first = await callMany(ACTION, alice, 6);
    const second = await callMany(ACTION, bob, 6);
    const other = await callMany(ACTION, carol, 1);
    expect([first, second, other]).toEqual([{ ok: 6 }, { ok: 4, 'Throttling.User': 2 }, { ok: 1 }]);
  });

  it.each([
    ['CreateOTAFirmware', 10],
    ['ListOTAFirmware', 10],
    ['DeleteOTAFirmware', 10],
    ['QueryOTAFirmware', 20],
    ['ModifyOTAFirmware', 5],
  ])('allows %s %i times a second', async (action, perSecond) => {
    await start({ qps: 'on', parts: { accounts, quota: createQuota() } });
    const calls = await callMany(action, alice, perSecond + 1);
    expect(calls['Throttling.User']).toBe(1);
  });

  it('slides with the clock of the gateway', async () => {
    await start({ qps: 10, parts: { accounts } });
    expect(await callMany(ACTION, alice, 1)).toEqual({ ok: 1 });
    gateway.clock.advance({ milliseconds: 999 });
    expect(await callMany(ACTION, alice, 20)).toEqual({ ok: 9, 'Throttling.User': 11 });
    gateway.clock.advance({ milliseconds: 1 });
    expect(await callMany(ACTION, alice, 20)).toEqual({ ok: 1, 'Throttling.User': 19 });
    gateway.clock.advance({ seconds: 1 });
    expect(await callMany(ACTION, alice, 10)).toEqual({ ok: 10 });
  });

  it('tells when the next call may follow, and starts again after a reset', async () => {
    await start({ qps: 1 });
    await gateway.api.generateOTAUploadURL();
    gateway.clock.advance({ milliseconds: 400 });
    const { headers } = await getV1(
      gateway.app,
      ACTION,
      {},
      { key: gateway.accessKey, time: gateway.clock.now() },
    );
    expect(headers['x-acs-retry-after']).toBe('600');
    gateway.clock.advance({ milliseconds: 600 });
    await gateway.api.generateOTAUploadURL();
    await gateway.reset();
    await gateway.api.generateOTAUploadURL();
  });

  it('may be one number for all operations', async () => {
    await start({ qps: 2, parts: { accounts, quota: createQuota() } });
    expect(await callMany(ACTION, alice, 3)).toEqual({ ok: 2, 'Throttling.User': 1 });
    expect((await callMany('QueryOTAFirmware', alice, 3))['Throttling.User']).toBe(1);
  });

  it('can be off', async () => {
    await start({ qps: 'off', parts: { accounts, quota: createQuota() } });
    expect(await callMany(ACTION, alice, 12)).toEqual({ ok: 12 });
  });

  it('is not used up by a wrongly signed call', async () => {
    await start({ qps: 1, parts: { accounts, quota: createQuota() } });
    await callMany(ACTION, { ...alice, secret: 'wrong' }, 2);
    expect(await callMany(ACTION, alice, 1)).toEqual({ ok: 1 });
  });
});
