import { createQuota } from '../../../src/iot/quota.ts';
import { ManualClock } from '../../../src/lib/clock.ts';

type Quota = ReturnType<typeof createQuota>;

async function takeMany(
  quota: Quota,
  times: number,
  call: readonly [string, string, number],
): Promise<(number | undefined)[]> {
  const waits: (number | undefined)[] = [];
  while (waits.length < times) waits.push(await quota.take(...call));
  return waits;
}

const allowed = (waits: readonly (number | undefined)[]): number =>
  waits.filter((wait) => wait === undefined).length;

it('allows the calls of one second, and then returns how long to wait', async () => {
  const waits = await takeMany(createQuota(new ManualClock()), 12, ['a', 'Generate', 10]);
  expect(waits).toEqual([...Array(10).fill(undefined), 1000, 1000]);
});

it('counts each account and operation separately', async () => {
  const quota = createQuota(new ManualClock());
  await takeMany(quota, 2, ['a', 'Generate', 1]);
  expect(await quota.take('b', 'Generate', 1)).toBeUndefined();
  expect(await quota.take('a', 'Create', 1)).toBeUndefined();
  expect(await quota.take('a', 'Generate', 1)).toBeDefined();
});

it('allows the next call exactly after the wait', async () => {
  const clock = new ManualClock();
  const quota = createQuota(clock);
  await quota.take('a', 'Generate', 2);
  clock.advance({ milliseconds: 300 });
  await quota.take('a', 'Generate', 2);
  clock.advance({ milliseconds: 100 });
  expect(await quota.take('a', 'Generate', 2)).toBe(600);
  clock.advance({ milliseconds: 599 });
  expect(await quota.take('a', 'Generate', 2)).toBe(1);
  clock.advance({ milliseconds: 1 });
  expect(await quota.take('a', 'Generate', 2)).toBeUndefined();
  expect(await quota.take('a', 'Generate', 2)).toBe(300);
});

it('does not allow twice the calls across the edge of a period', async () => {
  const clock = new ManualClock();
  const quota = createQuota(clock);
  await quota.take('a', 'Generate', 10);
  clock.advance({ milliseconds: 999 });
  expect(allowed(await takeMany(quota, 20, ['a', 'Generate', 10]))).toBe(9);
  clock.advance({ milliseconds: 1 });
  expect(allowed(await takeMany(quota, 20, ['a', 'Generate', 10]))).toBe(1);
});

// A generator with a fixed seed, so that a failure can be repeated.
function* steps(seed: number): Generator<number, void, undefined> {
  for (let state = seed; ; state = (state * 48_271) % 0x7fffffff) yield state;
}

it.each([1, 2, 7, 10, 999, 1000, 1001, 3000])(
  'never allows more than %d calls in any second, and as many as that',
  async (perSecond) => {
    const clock = new ManualClock(0);
    const quota = createQuota(clock);
    const times: number[] = [];
    let most = 0;
    let wrong = 0;
    let count = 0;
    for (const step of steps(perSecond)) {
      clock.advance({ milliseconds: step % 5 === 0 ? step % 700 : 0 });
      const burst = step % Math.max(2, Math.ceil(perSecond / 2));
      for (let turn = 0; turn < burst; turn += 1) {
        const now = clock.now();
        while (now - (times[0] ?? now) >= 1000) times.shift();
        const inWindow = times.length;
        const wait = await quota.take('a', 'Generate', perSecond);
        if ((wait === undefined) !== inWindow < perSecond) wrong += 1;
        if (wait === undefined) times.push(now);
        else if (wait !== (times[0] ?? NaN) + 1000 - now) wrong += 1;
        most = Math.max(most, inWindow);
        count += 1;
      }
      if (count > 6000) break;
    }
    expect({ most, wrong }).toEqual({ most: perSecond, wrong: 0 });
  },
);

it('starts the second again when its clock is moved back', async () => {
  const clock = new ManualClock();
  const quota = createQuota(clock);
  expect(allowed(await takeMany(quota, 3, ['a', 'Generate', 2]))).toBe(2);
  clock.advance({ minutes: -1 });
  expect(await takeMany(quota, 3, ['a', 'Generate', 2])).toEqual([undefined, undefined, 1000]);
});

it('forgets all calls', async () => {
  const quota = createQuota(new ManualClock());
  await takeMany(quota, 1, ['a', 'Generate', 1]);
  quota.clear();
  expect(await quota.take('a', 'Generate', 1)).toBeUndefined();
});

it('is not affected by the wall clock', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'performance'] });
  try {
    const quota = createQuota();
    expect(await quota.take('a', 'Generate', 1)).toBeUndefined();
    for (const hours of [2, -2, 365 * 24, -365 * 24]) {
      jest.setSystemTime(Date.now() + hours * 3_600_000);
      const wait = await quota.take('a', 'Generate', 1);
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(1000);
    }
  } finally {
    jest.useRealTimers();
  }
});
