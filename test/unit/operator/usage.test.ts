import { createMemoryRecords } from '../../../src/ledger/sqlite/records.ts';
import type { Records } from '../../../src/ledger/sqlite/records.ts';
import { ManualClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { MAX_SAMPLES, UsageMeter } from '../../../src/operator/usage.ts';
import { FOLDER_READER } from '../../../src/operator/viewer.ts';
import { LedgerTotals } from '../../../src/uploads/ledger-totals.ts';

const DAY = 86_400_000;
const MINUTE = { minutes: 1 };

let records: Records;
let clock: ManualClock;
let meter: UsageMeter;

beforeEach(() => {
  records = createMemoryRecords();
  clock = new ManualClock(0);
  const uploads = () => ({ clock, ledger: records.ledger, logger: silentLogger });
  meter = new UsageMeter({ totals: new LedgerTotals(), uploads });
});

afterEach(() => records.ledger.close());

async function issue(key: string, accountId = 'ann'): Promise<void> {
  await records.ledger.recordIssued({ key, accountId, issuedAt: 0, policyExpiresAt: 1 });
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
  for (let time = 0; time < 3; time += 1) await meter.now(FOLDER_READER);
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

it('keeps the samples of the last day', async () => {
  for (let minute = 0; minute <= MAX_SAMPLES + 10; minute += 1) {
    clock.advance(MINUTE);
    await meter.sample();
  }
  const samples = meter.samples(2 * DAY);
  expect(samples).toHaveLength(MAX_SAMPLES);
  expect(samples.at(-1)?.at).toBe(new Date(clock.now()).toISOString());
  expect(meter.samples(3_600_000)).toHaveLength(61);
  clock.advance({ days: 2 });
  expect(meter.samples(DAY)).toEqual([]);
});

it('forgets the samples of a time that comes again', async () => {
  for (const time of [60_000, 120_000, 180_000]) {
    clock.set(time);
    await meter.sample();
  }
  clock.set(120_000);
  await meter.sample();
  await meter.sample();
  expect(meter.samples(DAY).map(({ at }) => Date.parse(at))).toEqual([60_000, 120_000]);
});

it('shows what there was at the time of a sample', async () => {
  await meter.sample();
  await issue('a');
  clock.advance(MINUTE);
  await meter.sample();
  expect(meter.samples(DAY).map(({ issued }) => issued)).toEqual([0, 1]);
});
