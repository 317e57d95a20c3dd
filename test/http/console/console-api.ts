import { createHash, createHmac } from 'node:crypto';
import request from 'supertest';
import type { Response } from 'supertest';
import { ManualClock } from '../../../src/lib/clock.ts';
import type { TestGateway, TestGatewayOptions } from '../../../src/testing/index.ts';
import type { Key } from '../operator/operator-api.ts';
import { startTestGateway } from '../../support/gateways.ts';

/** Where the console is. */
export const CONSOLE = '/_gateway/console';

/** An id has dots, as those of RAM users may have. */
export const ANN = { id: 'ann.of@team', secret: 'ann-secret' };
export const OPS = { id: 'ops-key', secret: 'ops-secret' };
export const OFF = { id: 'off-key', secret: 'off-secret' };
export const TEMPORARY = { id: 'temporary-key', secret: 'temporary-secret' };

export const ACCOUNTS = [
  {
    id: 'ann',
    accessKeys: [ANN, { ...OFF, disabled: true }, { ...TEMPORARY, securityToken: 'token' }],
  },
  { id: 'ops', operator: true, accessKeys: [OPS] },
];

export interface ConsoleGateway extends TestGateway {
  /** The machine's clock. */
  readonly wall: ManualClock;
  readonly monotonic: ManualClock;
}

/** Starts a gateway with these accounts, and clocks that stand still. */
export async function startConsole(options: TestGatewayOptions = {}): Promise<ConsoleGateway> {
  const wall = new ManualClock();
  const monotonic = new ManualClock();
  const parts = {
    accounts: ACCOUNTS,
    wallClock: wall,
    monotonicClock: monotonic,
    ...options.parts,
  };
  return { ...(await startTestGateway({ ...options, parts })), wall, monotonic };
}

type App = Pick<TestGateway, 'app'>;

export async function challengeOf({ app }: App): Promise<string> {
  const { body } = await request(app).get(`${CONSOLE}/challenge`).expect(200);
  return body.challenge;
}

/** Computes a proof as documented, without the code of the product, so that both sides cannot share a mistake. */
export function proofOf({ id, secret }: Key, challenge: string): string {
  const text = `ota-gateway console\n${id}\n${challenge}`;
  return createHmac('sha256', secret).update(text).digest('hex');
}

type Headers = Readonly<Record<string, string>>;

export const FROM_PAGE: Headers = { 'x-gateway-console': '1' };

/** Sends what the page sends. */
export async function post(
  { app }: App,
  body: object,
  headers: Headers = FROM_PAGE,
  base = CONSOLE,
): Promise<Response> {
  return request(app).post(`${base}/session`).set(headers).send(body);
}

/** Signs in as the page does. */
export async function signIn(
  gateway: App,
  key: Key,
  extra: object = {},
  headers: Headers = {},
): Promise<Response> {
  const challenge = await challengeOf(gateway);
  const body = { id: key.id, challenge, proof: proofOf(key, challenge), ...extra };
  return post(gateway, body, { ...FROM_PAGE, ...headers });
}

/** The name and the value of the cookie that a response sets. */
export function cookieOf(response: Response): string {
  return (response.get('set-cookie')?.[0] ?? '').split(';')[0] ?? '';
}

/** @returns the cookie of a new session */
export async function openSession(gateway: App, key: Key): Promise<string> {
  return cookieOf(await signIn(gateway, key));
}

/** Who is signed in with a cookie, or the status of the refusal. */
export async function accountOf({ app }: App, cookie: string): Promise<unknown> {
  const { body } = await request(app).get(`${CONSOLE}/session`).set({ cookie }).expect(200);
  return body.session?.account.id;
}

/** The status of a request to the operator API with a cookie. */
export async function statusOf({ app }: App, cookie: string): Promise<number> {
  const { status } = await request(app).get('/_gateway/api/about').set({ cookie });
  return status;
}

/** The documented name of the cookie. */
export function nameFor(bucketKeyId: string): string {
  return `ota_${createHash('sha256').update(bucketKeyId).digest('hex').slice(0, 8)}`;
}
