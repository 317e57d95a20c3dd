import request from 'supertest';
import {
  ANN,
  CONSOLE,
  FROM_PAGE,
  OFF,
  OPS,
  TEMPORARY,
  challengeOf,
  cookieOf,
  nameFor,
  post,
  proofOf,
  signIn,
  startConsole,
} from './console-api.ts';
import type { ConsoleGateway } from './console-api.ts';

let gateway: ConsoleGateway;

beforeEach(async () => {
  gateway = await startConsole();
});
afterEach(() => gateway.close());

const flip = (text: string): string => (text.endsWith('0') ? '1' : '0');
const change = (text: string): string => text.slice(0, -1) + flip(text);

describe('signing in', () => {
  it('begins a session of eight hours', async () => {
    const response = await signIn(gateway, ANN);
    const expiresAt = new Date(gateway.wall.now() + 8 * 3_600_000).toISOString();
    const session = { account: { id: 'ann', operator: false }, accessKeyId: ANN.id, expiresAt };
    expect(response.status).toBe(201);
    expect(response.body).toEqual({ session });
    const { body } = await request(gateway.app)
      .get(`${CONSOLE}/session`)
      .set({ cookie: cookieOf(response) });
    expect(body).toEqual({ session });
  });

  it('says who is an operator', async () => {
    const { body } = await signIn(gateway, OPS);
    expect(body.session.account).toEqual({ id: 'ops', operator: true });
  });

  it('sets a cookie that no script can read and no other site sends', async () => {
    const response = await signIn(gateway, ANN);
    const [cookie, ...attributes] = (response.get('set-cookie')?.[0] ?? '').split('; ');
    expect(cookie?.startsWith(`${nameFor(gateway.bucketKey.id)}=`)).toBe(true);
    expect(attributes.sort()).toEqual([
      ...['HttpOnly', 'Max-Age=28800', 'Path=/_gateway/', 'SameSite=Strict'],
    ]);
  });
});

describe('a failed sign-in', () => {
  it.each([
    ['an unknown id', { id: 'nobody', secret: 'x' }],
    ['a wrong secret', { ...ANN, secret: 'x' }],
    ['a disabled key', OFF],
    ['a temporary key with a wrong secret', { ...TEMPORARY, secret: 'x' }],
  ])('with %s looks like any other', async (_what, key) => {
    const response = await signIn(gateway, key);
    expect(response.status).toBe(401);
    expect(response.body).toEqual({
      error: {
        code: 'SignInRefused',
        message: 'this access key and this secret cannot sign in',
        hint: 'check both; the access key may also be disabled',
      },
    });
    expect(response.get('set-cookie')).toBeUndefined();
  });

  it('with a temporary key says that those cannot sign in', async () => {
    const { body, status } = await signIn(gateway, TEMPORARY);
    expect([status, body.error.code]).toEqual([403, 'TemporaryKey']);
    expect(body.error.message).toContain('temporary access keys');
  });

  it.each([
    ['without an id', { id: '' }],
    ['with a proof in upper case', { proof: 'A'.repeat(64) }],
    ['with an unknown member', { more: 1 }],
    ['with a path that ends the cookie', { path: '/a;Domain=x/_gateway/' }],
    ['with a path that is no folder of the gateway', { path: '/' }],
    ['with a path that steps up', { path: '/a/../_gateway/' }],
    ['with a path without a slash', { path: '_gateway/' }],
    ['with a long path', { path: `/${'a'.repeat(256)}/_gateway/` }],
  ])('%s says what is wrong', async (_what, extra) => {
    const { body, status } = await signIn(gateway, ANN, extra);
    expect([status, body.error.code]).toEqual([400, 'InvalidRequest']);
    expect(body.error.message).toMatch(/^(?:id|proof|path): |Unrecognized key/);
  });
});

describe('a challenge', () => {
  const refusedWith = async (challenge: string): Promise<unknown> => {
    const { body } = await post(gateway, { id: ANN.id, challenge, proof: proofOf(ANN, challenge) });
    return body.error?.code;
  };

  it('is good for a minute of the machine, whatever the clock of the gateway says', async () => {
    const challenge = await challengeOf(gateway);
    gateway.wall.advance({ milliseconds: 59_999 });
    gateway.clock.advance({ days: 2 });
    expect(await refusedWith(challenge)).toBeUndefined();
    const other = await challengeOf(gateway);
    gateway.wall.advance({ minutes: 1 });
    expect(await refusedWith(other)).toBe('ChallengeExpired');
  });

  it('is good once', async () => {
    const challenge = await challengeOf(gateway);
    expect(await refusedWith(challenge)).toBeUndefined();
    expect(await refusedWith(challenge)).toBe('ChallengeExpired');
  });

  it('is good once when two requests use it at the same time', async () => {
    const challenge = await challengeOf(gateway);
    const codes = await Promise.all([refusedWith(challenge), refusedWith(challenge)]);
    expect(codes.filter((code) => code === undefined)).toHaveLength(1);
  });

  it('is good on another node with the same keys, and once on both', async () => {
    const { records } = gateway;
    await using other = await startConsole({ parts: { records } });
    const challenge = await challengeOf(other);
    const body = { id: ANN.id, challenge, proof: proofOf(ANN, challenge) };
    expect((await post(gateway, body)).status).toBe(201);
    expect((await post(other, body)).body.error.code).toBe('ChallengeExpired');
  });

  it('of a gateway with another bucket key is refused', async () => {
    await using other = await startConsole({ ossAccessKeyId: 'b', ossAccessKeySecret: 'other' });
    expect(await refusedWith(await challengeOf(other))).toBe('ChallengeExpired');
  });

  it('is refused when any part of it is changed', async () => {
    const [time = '', random = '', mac = ''] = (await challengeOf(gateway)).split('.');
    expect(await refusedWith([change(time), random, mac].join('.'))).toBe('ChallengeExpired');
    expect(await refusedWith([time, change(random), mac].join('.'))).toBe('ChallengeExpired');
    expect(await refusedWith([time, random, change(mac)].join('.'))).toBe('ChallengeExpired');
    expect(await refusedWith('')).toBe('ChallengeExpired');
  });
});

describe('the tries', () => {
  const WRONG = { ...ANN, secret: 'x' };

  it('of a client with one access key end after five failures, for a minute', async () => {
    for (let n = 0; n < 5; n += 1) expect((await signIn(gateway, WRONG)).status).toBe(401);
    gateway.monotonic.advance({ seconds: 20 });
    const sixth = await signIn(gateway, ANN);
    expect([sixth.status, sixth.body.error.code]).toEqual([429, 'TooManyTries']);
    expect(sixth.get('retry-after')).toBe('40');
    expect((await signIn(gateway, OPS)).status).toBe(201);
    gateway.monotonic.advance({ seconds: 40 });
    expect((await signIn(gateway, ANN)).status).toBe(201);
  });

  it('are counted when they are sent at the same time', async () => {
    const challenge = await challengeOf(gateway);
    const body = { id: ANN.id, challenge, proof: '0'.repeat(64) };
    const all = await Promise.all(Array.from({ length: 8 }, () => post(gateway, body)));
    expect(all.map(({ status }) => status).sort()).toEqual([
      401, 401, 401, 401, 401, 429, 429, 429,
    ]);
  });

  it('are counted anew after a success', async () => {
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 4; n += 1) await signIn(gateway, WRONG);
      expect((await signIn(gateway, ANN)).status).toBe(201);
    }
  });

  it('of a client with many access keys end after a hundred failures', async () => {
    const challenge = await challengeOf(gateway);
    const proof = '0'.repeat(64);
    for (let n = 0; n < 100; n += 1) {
      const { status } = await post(gateway, { id: `k${String(n)}`, challenge, proof });
      expect(status).toBe(401);
    }
    expect((await signIn(gateway, ANN)).status).toBe(429);
  });

  it('of each client behind a trusted proxy are counted by themselves', async () => {
    await using proxied = await startConsole({ trustedProxies: '127.0.0.1, ::1' });
    const from = (client: string) => ({ 'x-forwarded-for': client });
    for (let n = 0; n < 5; n += 1) await signIn(proxied, WRONG, {}, from('203.0.113.1'));
    expect((await signIn(proxied, ANN, {}, from('203.0.113.1'))).status).toBe(429);
    expect((await signIn(proxied, ANN, {}, from('203.0.113.2'))).status).toBe(201);
  });
});

describe('the cookie', () => {
  const attributesOf = async (extra: object, headers = {}, on = gateway): Promise<string> =>
    (await signIn(on, ANN, extra, headers)).get('set-cookie')?.[0] ?? '';

  it('has the path that the page sees', async () => {
    expect(await attributesOf({ path: '/ota/_gateway/' })).toContain('; Path=/ota/_gateway/;');
  });

  it('is only sent over HTTPS when the client uses that', async () => {
    await using proxied = await startConsole({ trustedProxies: '127.0.0.1, ::1' });
    const https = { 'x-forwarded-proto': 'https' };
    expect(await attributesOf({}, https, proxied)).toMatch(/; Secure$/);
    expect(await attributesOf({}, {}, proxied)).not.toContain('Secure');
    // Anybody may send the header to a gateway without a proxy.
    expect(await attributesOf({}, https)).not.toContain('Secure');
  });

  it('is removed with the same path', async () => {
    const response = await request(gateway.app)
      .delete(`${CONSOLE}/session`)
      .set(FROM_PAGE)
      .send({ path: '/ota/_gateway/' })
      .expect(200);
    expect(response.body).toEqual({ session: null });
    expect(response.get('set-cookie')?.[0]).toBe(
      `${nameFor(gateway.bucketKey.id)}=; Path=/ota/_gateway/; Max-Age=0; HttpOnly; SameSite=Strict`,
    );
  });
});
