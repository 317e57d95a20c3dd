import { createQuota } from '../../../src/iot/quota.ts';

async function takeMany(
  quota: ReturnType<typeof createQuota>,
  times: number,
  call: readonly [string, string, number],
): Promise<(number | undefined)[]> {
  return Promise.all(Array.from({ length: times }, () => quota.take(...call)));
}

it('allows the calls of one second, and then returns how long to wait', async () => {
  const waits = await takeMany(createQuota(), 12, ['a', 'Generate', 10]);
  expect(waits.slice(0, 10)).toEqual(Array(10).fill(undefined));
  for (const wait of waits.slice(10)) {
    expect(Number.isInteger(wait)).toBe(true);
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(1000);
  }
});

it('counts each account and operation separately', async () => {
  const quota = createQuota();
  await takeMany(quota, 2, ['a', 'Generate', 1]);
  expect(await quota.take('b', 'Generate', 1)).toBeUndefined();
  expect(await quota.take('a', 'Create', 1)).toBeUndefined();
  expect(await quota.take('a', 'Generate', 1)).toBeDefined();
});

it('allows calls again after the wait', async () => {
  const quota = createQuota();
  const [, wait = 0] = await takeMany(quota, 2, ['a', 'Generate', 1]);
  await new Promise((resolve) => setTimeout(resolve, wait + 10));
  expect(await quota.take('a', 'Generate', 1)).toBeUndefined();
});

describe('when the wall clock is set', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([2, -2, 365 * 24, -365 * 24])(
    'never returns a wait of more than a second: set by %d hours',
    async (hours) => {
      const quota = createQuota();
      await takeMany(quota, 2, ['a', 'Generate', 1]);
      jest.setSystemTime(Date.now() + hours * 3_600_000);
      const [, wait] = await takeMany(quota, 2, ['a', 'Generate', 1]);
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(1000);
      jest.advanceTimersByTime(1000);
      expect(await quota.take('a', 'Generate', 1)).toBeUndefined();
    },
  );
});
