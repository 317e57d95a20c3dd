import { startPurgeJob } from '../../../src/jobs/purge-job.ts';
import type { Job } from '../../../src/jobs/purge-job.ts';

jest.mock('../../../src/lib/timers.ts', () =>
  jest.requireActual('../../support/fakeable-timers.ts'),
);

const NOTHING = { purged: 0, failed: 0, bytes: 0 };
const NOON = Date.UTC(2024, 3, 1, 12);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const YEAR = 366 * 24 * HOUR;

const lines: unknown[] = [];
let job: Job;
let runs: number;

beforeEach(() => {
  lines.length = 0;
  for (const name of ['info', 'warn', 'error', 'debug', 'log'] as const) {
    jest.spyOn(console, name).mockImplementation((...line) => lines.push(line));
  }
  // The wall clock, and the time of the timers, which does not change with the wall clock.
  jest.useFakeTimers({ now: NOON + 500 });
  runs = 0;
});

afterEach(async () => {
  await job.stop();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
  jest.restoreAllMocks();
  // Keeps messages of node-cron out of the output.
  expect(lines).toEqual([]);
});

function start(cron: string): void {
  job = startPurgeJob(cron, async () => {
    runs += 1;
    return NOTHING;
  });
}

/** Moves the wall clock by a number of milliseconds. */
function step(by: number): void {
  jest.setSystemTime(Date.now() + by);
}

/** @returns how often the purge ran in a span of real time, in milliseconds */
async function runsWithin(milliseconds: number): Promise<number> {
  const before = runs;
  await jest.advanceTimersByTimeAsync(milliseconds);
  return runs - before;
}

describe('the purge job', () => {
  it.each([
    ['* * * * *', 10 * MINUTE, 10],
    ['* * * * * *', MINUTE, 60],
    ['*/5 * * * *', HOUR, 12],
    ['30 12 * * *', HOUR, 1],
    ['0 0 1 1 *', HOUR, 0],
  ])('runs %s in %d ms %d times', async (cron, time, times) => {
    start(cron);
    expect(await runsWithin(time)).toBe(times);
  });

  it('starts a run in the second of its slot', async () => {
    start('* * * * *');
    expect(await runsWithin(59 * SECOND)).toBe(0);
    expect(await runsWithin(SECOND)).toBe(1);
  });

  it('rejects an invalid cron expression', async () => {
    start('* * * * *');
    expect(() => startPurgeJob('every minute', async () => NOTHING)).toThrow();
  });
});

describe('after a step of the wall clock', () => {
  it.each([2 * MINUTE, HOUR, YEAR, 54 * YEAR])(
    'forward by %d ms, the purge job runs once more',
    async (by) => {
      start('* * * * *');
      await runsWithin(5 * SECOND);
      step(by);
      expect(await runsWithin(2 * SECOND)).toBe(1);
      expect(await runsWithin(10 * MINUTE)).toBe(10);
    },
  );

  it('by some seconds, the purge job runs for the slots in between', async () => {
    start('* * * * *');
    step(20 * SECOND);
    expect(await runsWithin(2 * SECOND)).toBe(0);
    step(40 * SECOND);
    expect(await runsWithin(2 * SECOND)).toBe(1);
  });

  it.each([SECOND, 2 * MINUTE, 2 * HOUR, YEAR, 54 * YEAR])(
    'back by %d ms, the purge job continues without a pause',
    async (by) => {
      start('* * * * *');
      await runsWithin(5 * SECOND);
      step(-by);
      expect(await runsWithin(2 * SECOND)).toBeLessThanOrEqual(1);
      expect(await runsWithin(10 * MINUTE)).toBe(10);
    },
  );

  it('a purge job of every second neither stops nor catches up', async () => {
    start('* * * * * *');
    for (const by of [YEAR, -2 * YEAR, 3 * YEAR, -HOUR, HOUR]) {
      step(by);
      expect(await runsWithin(10 * SECOND)).toBeLessThanOrEqual(11);
      expect(await runsWithin(10 * SECOND)).toBe(10);
    }
  });

  it('a purge job of once a year waits for its slot', async () => {
    start('0 0 1 1 *');
    expect(await runsWithin(2 * MINUTE)).toBe(0);
    step(Date.UTC(2025, 0, 1) - MINUTE - Date.now());
    // The slots in a long jump are not searched.
    expect(await runsWithin(2 * SECOND)).toBe(1);
    expect(await runsWithin(2 * MINUTE)).toBe(1);
  });

  it('the purge job runs once when all timers are late, as after a suspension', async () => {
    start('* * * * * *');
    await runsWithin(5 * SECOND);
    expect(runs).toBe(5);
    step(YEAR);
    jest.advanceTimersToNextTimer();
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(0);
    expect(runs).toBe(6);
  });
});

describe('a slot', () => {
  it('during a run is skipped', async () => {
    let finish: () => void = () => undefined;
    job = startPurgeJob('* * * * * *', async () => {
      runs += 1;
      await new Promise<void>((resolve) => (finish = resolve));
      return NOTHING;
    });
    expect(await runsWithin(10 * SECOND)).toBe(1);
    finish();
    expect(await runsWithin(2 * SECOND)).toBe(1);
    const stopped = job.stop();
    finish();
    await stopped;
  });

  it('after a failed run starts the next run', async () => {
    job = startPurgeJob('* * * * * *', () => {
      runs += 1;
      return Promise.reject(new Error('disk'));
    });
    expect(await runsWithin(3 * SECOND)).toBe(3);
  });

  it('returns when it runs next, by the wall clock', () => {
    start('*/5 * * * *');
    expect(job.dueIn()).toBe(5 * MINUTE - 500);
    step(4 * MINUTE);
    expect(job.dueIn()).toBe(MINUTE - 500);
    step(-10 * MINUTE);
    expect(job.dueIn()).toBe(MINUTE - 500);
  });
});

it('waits for its delay after a slot, and not once it stops', async () => {
  const delays = [5 * SECOND, 5 * SECOND];
  job = startPurgeJob(
    '* * * * *',
    async () => {
      runs += 1;
      return NOTHING;
    },
    { delay: () => delays.shift() ?? 0 },
  );
  expect(await runsWithin(MINUTE + 4 * SECOND)).toBe(0);
  expect(await runsWithin(2 * SECOND)).toBe(1);
  await jest.advanceTimersByTimeAsync(56 * SECOND);
  await job.stop();
  expect(runs).toBe(1);
});
