import type { Quota } from '../../src/accounts/ports.ts';

/** A new quota under test. */
export interface QuotaUnderTest {
  quota: Quota;
  /** The same quota as another process or connection uses it. */
  another: Quota;
  /** Lets time pass for the quota. */
  pass(milliseconds: number): Promise<void>;
  dispose(): Promise<void>;
}

/** The tests that every quota passes. */
export function describeQuota(name: string, open: () => Promise<QuotaUnderTest>): void {
  describe(`${name} as a quota`, () => {
    let subject: QuotaUnderTest;
    let quota: Quota;

    beforeEach(async () => {
      subject = await open();
      ({ quota } = subject);
    });

    afterEach(() => subject.dispose());

    it('allows as many calls as there may be in a second, and then says how long to wait', async () => {
      for (let n = 0; n < 3; n += 1) expect(await quota.take('a', 'op', 3)).toBeUndefined();
      const wait = (await quota.take('a', 'op', 3)) ?? 0;
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(1000);
      expect(await subject.another.take('a', 'op', 3)).toBeGreaterThan(0);
    });

    it('allows calls again after a second', async () => {
      await quota.take('a', 'op', 1);
      expect(await quota.take('a', 'op', 1)).toBeDefined();
      await subject.pass(1000);
      expect(await quota.take('a', 'op', 1)).toBeUndefined();
    });

    it('counts accounts and operations by themselves', async () => {
      await quota.take('a', 'op', 1);
      expect(await quota.take('a', 'op', 1)).toBeDefined();
      expect(await quota.take('b', 'op', 1)).toBeUndefined();
      expect(await quota.take('a', 'other', 1)).toBeUndefined();
    });

    it('allows no more calls when they come at once to two instances', async () => {
      const waits = await Promise.all(
        Array.from({ length: 40 }, (_, n) => (n % 2 ? quota : subject.another).take('a', 'op', 10)),
      );
      expect(waits.filter((wait) => wait === undefined)).toHaveLength(10);
    });
  });
}
