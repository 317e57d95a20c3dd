import { createMemoryRecords } from '../../../src/ledger/sqlite/records.ts';
import type { Records } from '../../../src/ledger/records.ts';
import { ManualClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { UsageMeter } from '../../../src/operator/usage.ts';
import { NO_EVENTS } from '../../../src/operator/usage-events.ts';
import { MAX_SAMPLES } from '../../../src/operator/listing.ts';
import { FOLDER_READER } from '../../../src/operator/viewer.ts';
import { LedgerTotals } from '../../../src/uploads/ledger-totals.ts';
import type { PurgeReason } from '../../../src/uploads/upload.ts';
import { eventually } from '../../support/built-gateway.ts';

jest.mock('../../../src/lib/timers.ts', () =>
  jest.requireActual('../../support/fakeable-timers.ts'),
);

const DAY = 86_400_000;
const TEN_MINUTES = { minutes: 10 };

let records: Records;
let clock: ManualClock;
let meter: UsageMeter;
let free: number | undefined;
const error = jest.fn();

/** As after a restart: what was counted in memory is gone. */
function restart(): void {
  const uploads = () => ({ clock, ledger: records.ledger, logger: { ...silentLogger, error } });
  const disk = async () => (free === undefined ? undefined : { free, size: 100 });
  const parts = { history: records.usage, disk, reserve: 64 };
  meter = new UsageMeter({ totals: new LedgerTotals(), uploads, ...parts });
}

beforeEach(() => {
  records = createMemoryRecords();
  clock = new ManualClock();
  free = 50;
  error.mockClear();
  restart();
});

afterEach(() => records.ledger.close());

async function issue(key: string, accountId = 'ann'): Promise<void> {
  await records.ledger.recordIssued({ key, accountId, issuedAt: 0, policyExpiresAt: 1 });
}

function purge(reason: PurgeReason, size: number): void {
  meter.observer.purged?.({ sequence: 1, key: 'a', locator: 'l', reason, size });
}

async function timesOf(period: number): Promise<number[]> {
  return (await meter.report(period)).samples.map(({ at }) => Date.parse(at));
}

it('counts for an account what is its own, and for an operator everything', async () => {
  await issue('a');
  await issue('b', 'bob');
  expect(await meter.now({ accountId: 'bob', isOperator: false })).toMatchObject({
    uploads: { issued: { count: 1, bytes: 0 } },
  });
  expect(await meter.now(FOLDER_READER)).toMatchObject({ uploads: { issued: { count: 2 } } });
  expect(await meter.used('ann')).toEqual({ uploads: 1, bytes: 0 });
  expect(await meter.used()).toEqual({ uploads: 2, bytes: 0 });
});

it('reads the rows of the ledger once, however often it is asked', async () => {
  const watch = jest.spyOn(records.ledger, 'watch');
  const count = jest.spyOn(records.ledger, 'countUploads');
  for (let time = 0; time < 3; time += 1) await meter.report(DAY);
  await meter.sample();
  expect(watch).toHaveBeenCalledTimes(1);
  expect(count).not.toHaveBeenCalled();
});

it('counts again when the ledger has failed', async () => {
  jest.spyOn(records.ledger, 'watch').mockRejectedValueOnce(new Error('locked'));
  await issue('a');
  await expect(meter.now(FOLDER_READER)).rejects.toThrow('locked');
  expect(await meter.used('ann')).toEqual({ uploads: 1, bytes: 0 });
});

it('shows what there was at the time of a sample, and what has happened before it', async () => {
  await meter.sample();
  await issue('a');
  purge('unclaimed', 5);
  purge('deleted', 7);
  meter.countRefusal();
  clock.advance(TEN_MINUTES);
  free = undefined;
  await meter.sample();
  const [first, second] = (await meter.report(DAY)).samples;
  expect(first).toMatchObject({
    ...{ uploads: { issued: { count: 0 } }, diskFree: 50 },
    ...{ purgedUploads: 0, purgedBytes: 0, refusals: 0 },
  });
  expect(second).toMatchObject({
    uploads: { issued: { count: 1 } },
    ...{ purgedUploads: 2, purgedBytes: 12, refusals: 1 },
  });
  expect(second).not.toHaveProperty('diskFree');
});

it('counts purges by their reason, and refusals, in the time that is asked for', async () => {
  purge('retired', 1);
  await meter.sample();
  clock.advance({ days: 2 });
  purge('unclaimed', 5);
  meter.countRefusal();
  await meter.sample();
  restart();
  purge('unclaimed', 6);
  purge('replaced', 2);
  const none = { count: 0, bytes: 0 };
  const purges = {
    unclaimed: { count: 2, bytes: 11 },
    replaced: { count: 1, bytes: 2 },
    deleted: none,
  };
  expect(await meter.report(DAY)).toMatchObject({
    refusals: 1,
    purges: { ...purges, retired: none },
  });
  expect(await meter.report(3 * DAY)).toMatchObject({
    refusals: 1,
    purges: { ...purges, retired: { count: 1, bytes: 1 } },
  });
});

it('keeps what it has counted when a sample cannot be written', async () => {
  purge('deleted', 7);
  if (records.usage === undefined) throw new Error('these records keep no samples');
  jest.spyOn(records.usage, 'add').mockRejectedValueOnce(new Error('disk full'));
  await expect(meter.sample()).rejects.toThrow('disk full');
  await meter.sample();
  expect((await meter.report(DAY)).samples).toMatchObject([{ purgedUploads: 1, purgedBytes: 7 }]);
});

it.each([
  ['24 hours', DAY, 10],
  ['7 days', 7 * DAY, 30],
  ['90 days', 90 * DAY, 260],
])(
  'thins the samples of %s to the same distance and at most 500',
  async (_name, period, minutes) => {
    const count = 90 * 144;
    const { packages, uploads } = await meter.now(FOLDER_READER);
    const sample = { packages, uploads, ...NO_EVENTS, refusals: 1 };
    const start = clock.now();
    clock.advance({ minutes: count * 10 });
    const all = Array.from({ length: count }, (_, n) => start + (n + 1) * 600_000);
    await Promise.all(all.map(async (at) => records.usage?.add({ ...sample, at })));
    const times = await timesOf(period);
    expect(times.length).toBeLessThanOrEqual(MAX_SAMPLES);
    expect(times.at(-1)).toBe(clock.now());
    const distances = times.slice(1, -1).map((time, index) => time - (times[index] ?? 0));
    expect(new Set(distances)).toEqual(new Set([minutes * 60_000]));
    expect((await meter.report(period)).refusals).toBe(period / 600_000);
  },
);

it('removes the samples that are older than 90 days', async () => {
  const oldest = clock.now();
  await meter.sample();
  clock.advance({ days: 1 });
  await meter.sample();
  clock.advance({ days: 89 });
  await meter.prune();
  expect(await timesOf(100 * DAY)).toEqual([oldest, oldest + DAY]);
  clock.advance(TEN_MINUTES);
  await meter.prune();
  expect(await timesOf(100 * DAY)).toEqual([oldest + DAY]);
});

it('keeps the other samples when the clock is set to another time and back', async () => {
  const now = clock.now();
  await meter.sample();
  for (const time of [now + 400 * DAY, 0, now]) {
    clock.set(time);
    await meter.sample();
    if (time <= now) await meter.prune();
  }
  expect(await timesOf(DAY)).toEqual([now]);
  clock.set(now + 400 * DAY);
  expect(await timesOf(DAY)).toEqual([clock.now()]);
});

it('adds one sample while the clock stands still', async () => {
  for (let time = 0; time < 3; time += 1) {
    meter.countRefusal();
    await meter.sample();
  }
  expect(await meter.report(DAY)).toMatchObject({ refusals: 3, samples: [{ refusals: 3 }] });
});

it('forgets everything that was for a reset', async () => {
  purge('deleted', 7);
  await meter.sample();
  purge('deleted', 7);
  meter.observer.purgeRan?.({ outcome: 'done', milliseconds: 1 });
  await meter.forget();
  expect(await meter.report(DAY)).toMatchObject({
    ...{ samples: [], purges: { deleted: { count: 0, bytes: 0 } } },
    purge: {},
  });
});

it('shows the disk with its reserve, and the runs of the purge by the clock of the gateway', async () => {
  expect(await meter.report(0)).toMatchObject({ disk: { free: 50, reserve: 64 }, purge: {} });
  free = undefined;
  expect((await meter.report(0)).disk).toEqual({ reserve: 64 });
  meter.observer.purgeRan?.({ outcome: 'failed', milliseconds: 1 });
  meter.observer.purgeRan?.({ outcome: 'skipped', milliseconds: 0 });
  const failed = { lastAt: '2024-01-01T00:00:00.000Z', outcome: 'failed' };
  expect((await meter.report(0)).purge).toEqual(failed);
  const end = meter.start(() => 29_999);
  expect((await meter.report(0)).purge).toEqual({
    ...failed,
    nextAt: '2024-01-01T00:00:30.000Z',
  });
  await end();
  expect((await meter.report(0)).purge).toEqual(failed);
});

describe('a meter that was started', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'setTimeout', 'nextTick', 'Date'] });
  });
  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  const dueIn = (): undefined => undefined;
  const hasSamples = (count: number): Promise<void> =>
    eventually(async () => (await timesOf(DAY)).length === count);
  const tick = (): void => {
    clock.advance(TEN_MINUTES);
    jest.advanceTimersByTime(600_000);
  };

  it('adds a sample at once, one every ten minutes, and one at its end', async () => {
    const start = clock.now();
    const end = meter.start(dueIn);
    await hasSamples(1);
    tick();
    await hasSamples(2);
    tick();
    await hasSamples(3);
    clock.advance({ minutes: 15 });
    await end();
    const minutes = (await timesOf(DAY)).map((time) => (time - start) / 60_000);
    expect(minutes).toEqual([0, 10, 20, 35]);
    expect(error).not.toHaveBeenCalled();
  });

  it('adds no sample while the ledger is not counted, also not at its end', async () => {
    let finish = (): void => undefined;
    const counted = new Promise<() => void>((resolve) => {
      finish = () => resolve(() => undefined);
    });
    jest.spyOn(records.ledger, 'watch').mockReturnValueOnce(counted);
    await meter.start(dueIn)();
    finish();
    expect(await timesOf(DAY)).toEqual([]);
  });

  it('logs a failure, and goes on', async () => {
    jest.spyOn(records.ledger, 'watch').mockRejectedValueOnce(new Error('locked'));
    const end = meter.start(dueIn);
    await eventually(() => Promise.resolve(error.mock.calls.length === 1));
    tick();
    await hasSamples(1);
    await end();
    expect(error).toHaveBeenCalledTimes(1);
  });
});
