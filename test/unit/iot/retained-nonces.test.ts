import type { NonceMemory } from '../../../src/accounts/ports.ts';
import { isFresh } from '../../../src/http/client-date.ts';
import { nonceExpiry } from '../../../src/http/call-date.ts';
import { RetainedNonces } from '../../../src/iot/retained-nonces.ts';
import { ManualClock } from '../../../src/lib/clock.ts';

const NOON = Date.UTC(2024, 3, 1, 12);
const MINUTE = 60_000;
const KEY = 'testid';

/** Nonces in a map, as a ledger would keep them across restarts. */
function memory(): NonceMemory {
  const expiries = new Map<string, number>();
  return {
    burn: async (_accessKeyId, nonce, expiresAt) => {
      if (expiries.has(nonce)) return false;
      expiries.set(nonce, expiresAt);
      return true;
    },
    prune: async (expiredBefore) => {
      const gone = [...expiries].filter(([, expiresAt]) => expiresAt < expiredBefore);
      for (const [nonce] of gone) expiries.delete(nonce);
      return gone.length;
    },
  };
}

function setUp(below = memory()) {
  const clock = new ManualClock(NOON);
  const monotonic = new ManualClock(0);
  const nonces = new RetainedNonces(below, clock, monotonic);
  return {
    clock,
    nonces,
    /** Real time passes, and the clock goes with it. */
    pass: (minutes: number): void => {
      clock.advance({ minutes });
      monotonic.advance({ minutes });
    },
    call: (date: number, nonce = 'nonce'): Promise<boolean> =>
      nonces.burn(KEY, nonce, nonceExpiry(date, clock.now())),
    /** As the purge does. @returns how many nonces were forgotten */
    purge: (): Promise<number> => nonces.prune(clock.now(), Infinity),
  };
}

describe('a nonce', () => {
  it.each([61, 60 * 24, 60 * 24 * 365 * 50])(
    'is kept when the clock is set forward by %d minutes, a purge runs, and the clock is set back',
    async (minutes) => {
      const { call, clock, pass, purge } = setUp();
      pass(60);
      await purge();
      const date = clock.now();
      expect(await call(date)).toBe(true);
      for (let turn = 0; turn < 25; turn += 1) {
        clock.advance({ minutes });
        expect(await purge()).toBe(0);
        clock.advance({ minutes: -minutes });
        pass(1);
      }
      expect(await call(date)).toBe(false);
    },
  );

  it('is kept when its call came while the clock was set back, between two purges', async () => {
    const { call, clock, pass, purge } = setUp();
    for (let minute = 0; minute < 100; minute += 1) {
      pass(1);
      await purge();
    }
    clock.advance({ days: -3000 });
    const date = clock.now();
    expect(await call(date)).toBe(true);
    clock.advance({ days: 3000 });
    pass(1);
    expect(await purge()).toBe(0);
    clock.advance({ days: -3000 });
    expect(await call(date)).toBe(false);
  });

  it('is kept when the clock is set forward after its expiry was computed and before it is burned', async () => {
    const { clock, nonces, pass, purge } = setUp();
    const expiry = nonceExpiry(clock.now(), clock.now());
    clock.advance({ hours: 10 });
    for (let turn = 0; turn < 3; turn += 1) {
      pass(31);
      await purge();
    }
    await nonces.burn(KEY, 'nonce', expiry);
    pass(30);
    expect(await purge()).toBe(0);
  });

  it('is kept after a restart until the process has run for longer than a call is fresh', async () => {
    const below = memory();
    const date = NOON;
    await setUp(below).call(date);
    const { call, clock, pass, purge } = setUp(below);
    clock.advance({ days: 1 });
    for (let minute = 0; minute < 30; minute += 1) {
      pass(1);
      expect(await purge()).toBe(0);
    }
    clock.advance({ days: -1 });
    expect(isFresh(date + 15 * MINUTE, [clock.now()])).toBe(true);
    expect(await call(date)).toBe(false);
  });

  it.each([-15, 0, 15])(
    'is forgotten after 31 to 78 minutes when its call is dated %d minutes off',
    async (minutes) => {
      const { call, clock, pass, purge } = setUp();
      pass(100);
      await purge();
      await call(clock.now() + minutes * MINUTE);
      let kept = 0;
      while ((await purge()) === 0) {
        pass(1);
        kept += 1;
      }
      expect(kept).toBeGreaterThan(30);
      expect(kept).toBeLessThanOrEqual(62 + 15 + Math.max(0, minutes) + 1);
    },
  );

  it('is never forgotten while its call is fresh, for any settings of the clock within half an hour', async () => {
    const { call, clock, pass, purge } = setUp();
    pass(90);
    await purge();
    const date = clock.now();
    await call(date);
    for (const [hours, minutes] of [
      [1, 5],
      [-300, 5],
      [5000, 5],
      [-4701, 10],
    ] as const) {
      clock.advance({ hours });
      pass(minutes);
      await purge();
    }
    clock.set(date);
    expect(await call(date)).toBe(false);
  });
});

it('keeps all nonces while no real time passes', async () => {
  const { call, clock, purge } = setUp();
  await call(clock.now());
  clock.advance({ days: 400 });
  expect(await purge()).toBe(0);
});
