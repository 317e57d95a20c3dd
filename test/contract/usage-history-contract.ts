import { KEPT_MS, SAMPLE_MS } from '../../src/uploads/usage-history.ts';
import type { UsageHistory, UsageSample } from '../../src/uploads/usage-history.ts';

const START = Date.UTC(2024, 0, 1);
const ALL = { after: 0, until: Number.MAX_SAFE_INTEGER, span: SAMPLE_MS };

/** A sample in which no two values are equal. */
export function aSample(at: number, number = 0, facts: Partial<UsageSample> = {}): UsageSample {
  const value = (place: number): number => place * 1_000_000 + number;
  const pair = (place: number) => ({ count: value(place), bytes: value(place + 1) });
  return {
    at,
    uploads: {
      issued: { count: value(1), bytes: 0 },
      stored: pair(2),
      claimed: pair(4),
      purging: pair(6),
      purged: pair(8),
    },
    packages: value(10),
    diskFree: value(11),
    refusals: number,
    purges: {
      unclaimed: { count: number, bytes: 2 * number },
      replaced: { count: 3 * number, bytes: 4 * number },
      deleted: { count: 5 * number, bytes: 6 * number },
      retired: { count: 7 * number, bytes: 8 * number },
    },
    ...facts,
  };
}

/** A new history of the usage under test. */
export interface UsageHistoryUnderTest {
  usage: UsageHistory;
  dispose(): Promise<void>;
}

/** The tests that every history of the usage passes. */
export function describeUsageHistory(
  name: string,
  open: () => Promise<UsageHistoryUnderTest>,
): void {
  describe(`${name}: the history of the usage`, () => {
    let subject: UsageHistoryUnderTest;
    let history: UsageHistory;

    beforeEach(async () => {
      subject = await open();
      history = subject.usage;
    });

    afterEach(() => subject.dispose());

    it('returns the samples of a time, the oldest first', async () => {
      const [first, second, third] = [0, 1, 2].map((n) => aSample(START + n * SAMPLE_MS, n));
      for (const sample of [third, first, second]) if (sample) await history.add(sample);
      expect(await history.list(ALL)).toEqual([first, second, third]);
      const query = { ...ALL, after: START, until: START + SAMPLE_MS };
      expect(await history.list(query)).toEqual([second]);
    });

    it('keeps a sample whose free bytes were not known', async () => {
      const { at, packages, purges, refusals, uploads } = aSample(START);
      const sample = { at, packages, purges, refusals, uploads };
      await history.add(sample);
      expect(await history.list(ALL)).toEqual([sample]);
    });

    it('replaces the levels of a time that comes again, and adds up what has happened', async () => {
      const later = aSample(START + SAMPLE_MS, 9);
      await history.add(later);
      await history.add(aSample(START + 2000, 1));
      await history.add(aSample(START + 1000, 2));
      const { purges, refusals } = aSample(START, 3);
      expect(await history.list(ALL)).toEqual([
        { ...aSample(START + 1000, 2), purges, refusals },
        later,
      ]);
    });

    it('removes samples that are too old, and no others', async () => {
      for (const n of [0, 1, 2]) await history.add(aSample(START + n * SAMPLE_MS));
      await history.prune(START + SAMPLE_MS + 1);
      expect((await history.list(ALL)).map(({ at }) => at - START)).toEqual([
        SAMPLE_MS,
        2 * SAMPLE_MS,
      ]);
    });

    it('makes one sample of many: the last levels, and the sums of what has happened', async () => {
      const rows = KEPT_MS / SAMPLE_MS;
      const samples = Array.from({ length: rows }, (_, n) => aSample(START + n * SAMPLE_MS, n));
      await Promise.all(samples.map((sample) => history.add(sample)));
      const until = START + KEPT_MS;
      const found = await history.list({ after: until - KEPT_MS, until, span: 26 * SAMPLE_MS });
      expect(found.length).toBeLessThanOrEqual(500);
      expect(found.at(-1)).toMatchObject({
        at: samples.at(-1)?.at,
        uploads: samples.at(-1)?.uploads,
      });
      // All but the first, which is as old as the period.
      const expected = ((rows - 1) * rows) / 2;
      expect(found.reduce((sum, { refusals }) => sum + refusals, 0)).toBe(expected);
      expect(found.reduce((sum, { purges }) => sum + purges.retired.bytes, 0)).toBe(8 * expected);
      for (const { at, ...levels } of found) {
        const { diskFree, packages, uploads } = aSample(at, (at - START) / SAMPLE_MS);
        expect(levels).toMatchObject({ diskFree, packages, uploads });
      }
    });
  });
}
