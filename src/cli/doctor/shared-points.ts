import type { Config } from '../../config/config.ts';
import { wallClock } from '../../lib/clock.ts';
import { formatSpan } from '../../lib/time-span.ts';
import { inspectSharedLedger, inspectStore } from '../../shared-storage.ts';
import type { Finding, Point } from './checkup.ts';
import { fail, ok, skip, warn } from './checkup.ts';

/** @returns the points that look at what gateways share */
export function sharedPoints({ storeUrl }: Config): readonly Point[] {
  return storeUrl === undefined ? [] : [STORE];
}

const STORE: Point = {
  name: 'store',
  look: async ({ config }) => {
    const name = await inspectStore(config);
    return name === undefined ? skip('the bodies are in the data folder') : ok(`${name} answers`);
  },
};

/** A gateway logs a difference of its clock from the first on, and is not ready from the second on. */
const SKEW_MS = { logged: 1000, refused: 10_000 };

/** @returns undefined when the ledger is in the data folder */
export async function lookAtSharedLedger(config: Config): Promise<Finding | undefined> {
  const report = await inspectSharedLedger(config, wallClock);
  if (report === undefined) return undefined;
  const { skew } = report;
  const { host, pathname } = new URL(config.ledgerUrl ?? '');
  const clock = `its clock is ${skew < SKEW_MS.logged ? 'less than 1 s' : formatSpan(skew)} away`;
  const text = `PostgreSQL at ${host}${pathname} answers, ${clock}`;
  const hint = 'Set the clocks of both machines, for example by NTP';
  if (skew > SKEW_MS.refused) return fail(`${text}: a gateway here is not ready`, hint);
  return skew > SKEW_MS.logged ? warn(text, hint) : ok(text);
}
