import { AccountDirectory } from '../../../src/accounts/accounts.ts';
import type { AccessKey } from '../../../src/accounts/accounts.ts';
import { ManualClock } from '../../../src/lib/clock.ts';
import { isStillAdmitted, toCaller } from '../../../src/ops/api/callers.ts';

const KEY = { id: 'k', secret: 's' };

it.each<[string, AccessKey]>([
  ['a key that another one replaces', { ...KEY, disabledFrom: 60_000 }],
  ['a temporary key', { ...KEY, securityToken: 't', expiresAt: 60_000 }],
])('admits %s until it ends', (_what, accessKey) => {
  const account = { id: 'ann', accessKeys: [accessKey] };
  const clock = new ManualClock(0);
  const deps = { clock, accounts: new AccountDirectory([account]) };
  const caller = toCaller(deps, account, accessKey);
  clock.set(59_999);
  expect(isStillAdmitted(deps, caller)).toBe(true);
  clock.set(60_000);
  expect(isStillAdmitted(deps, caller)).toBe(false);
});

it.each([
  ['that is open', { isOpen: () => true }, true],
  ['that has ended', { isOpen: () => false }, false],
  ['while the console is off', undefined, false],
])('admits the caller of a session %s as it should', (_when, open, isAdmitted) => {
  const account = { id: 'ann', accessKeys: [KEY] };
  const sessions = open && { ...open, find: () => undefined, onEnded: () => () => undefined };
  const deps = {
    ...{ clock: new ManualClock(0), accounts: new AccountDirectory([account]) },
    sessions,
  };
  const caller = { ...toCaller(deps, account, KEY), session: { id: 's', expiresAt: 1 } };
  expect(isStillAdmitted(deps, caller)).toBe(isAdmitted);
});
