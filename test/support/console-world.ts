import type { BuiltGateway } from './built-gateway.ts';
import { ACCOUNT_KEY } from './built-gateway.ts';
import { startWithAccounts } from './accounts.ts';
import { patternBytes } from './bytes.ts';
import { claim, grantFrom, post } from './loop.ts';

/** The time of the gateway of {@link startWorld}, which stands still. */
export const NOW = Date.UTC(2026, 10, 26, 9);

/** An access key of an account that has nothing, and is no operator. */
export const GUEST_KEY = { id: 'guestid', secret: 'guestsecret' };

const ACCOUNTS = [
  { id: 'factory', operator: true, accessKeys: [ACCOUNT_KEY] },
  { id: 'guest', accessKeys: [GUEST_KEY] },
];
const MIB = 1024 * 1024;
const MINUTE = 60_000;

/** A gateway with a day behind it, and a key of each state. */
export interface World {
  readonly gateway: BuiltGateway;
  readonly firmwareId: string;
  /** Of a form with a wrong signature. */
  readonly refusalId: string;
  readonly keys: Readonly<Record<'issued' | 'stored' | 'claimed' | 'purged', string>>;
}

/** Starts a gateway with uploads in every state, packages, refused requests, and a usage that has changed for a day. */
export async function startWorld(folder: string): Promise<World> {
  const startAt = (minutesAgo: number): Promise<BuiltGateway> =>
    startWithAccounts(folder, ACCOUNTS, {
      OTA_GATEWAY_TEST_MODE: 'on',
      OTA_GATEWAY_TEST_CLOCK: new Date(NOW - minutesAgo * MINUTE).toISOString(),
    });
  // Each run measures its usage, so that there is a chart.
  const first = await liveOnce(startAt, 22 * 60, (url) => storeAndClaim(url, 12, 'lamp'));
  await liveOnce(startAt, 15 * 60, (url) => storeAndClaim(url, 8, 'pump'));
  const purged = await liveOnce(startAt, 9 * 60, (url) => store(url, 20));
  await liveOnce(startAt, 3 * 60, async (url) => {
    await control(url, 'POST', 'purge', {});
    await storeAndClaim(url, 6, 'valve');
  });
  const gateway = await startAt(58);
  const { url } = gateway;
  const setClock = (minutesAgo: number): Promise<void> =>
    control(url, 'PUT', 'clock', { time: NOW - minutesAgo * MINUTE });
  await store(url, 3);
  await setClock(12);
  const stored = await store(url, 5);
  await setClock(0);
  const issued = await grantFrom(url);
  const change = { signature: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' };
  const refused = await post(await grantFrom(url), Buffer.from('x'), change);
  await post(await grantFrom(url), Buffer.from('x'), { key: 'other.bin' });
  return {
    ...{ gateway, firmwareId: first.firmwareId },
    refusalId: String(refused.headers['x-oss-request-id']),
    keys: { issued: issued.key, stored, claimed: first.key, purged },
  };
}

async function liveOnce<T>(
  startAt: (minutesAgo: number) => Promise<BuiltGateway>,
  minutesAgo: number,
  act: (url: string) => Promise<T>,
): Promise<T> {
  const gateway = await startAt(minutesAgo);
  const result = await act(gateway.url);
  await gateway.stop();
  return result;
}

/** @returns its key */
async function store(url: string, size: number): Promise<string> {
  const grant = await grantFrom(url);
  await post(grant, patternBytes(size * MIB));
  return grant.key;
}

async function storeAndClaim(
  url: string,
  size: number,
  name: string,
): Promise<{ key: string; firmwareId: string }> {
  const grant = await grantFrom(url);
  await post(grant, patternBytes(size * MIB));
  return { key: grant.key, firmwareId: await claim(url, grant, name) };
}

/** Uses a control of test mode. */
async function control(url: string, method: string, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${url}/_gateway/test/${path}`, {
    method,
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
}
