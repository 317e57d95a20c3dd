import * as fc from 'fast-check';
import type { FirmwarePackage } from '../../src/uploads/firmware-package.ts';
import { LedgerTotals } from '../../src/uploads/ledger-totals.ts';
import { allPackages, allUploads } from '../../src/uploads/list-all.ts';
import type { UploadLedger } from '../../src/uploads/ports.ts';
import { NEVER } from './upload-ledger-contract.ts';
import type { UploadLedgerUnderTest } from './upload-ledger-contract.ts';

const KEYS = ['a', 'b', 'c', 'd'];
const STATES = ['issued', 'stored', 'claimed', 'purging', 'purged'] as const;

/** The tests that the changes and the totals of every ledger pass. */
export function describeLedgerChanges(
  name: string,
  open: () => Promise<UploadLedgerUnderTest>,
): void {
  describe(`${name}: changes`, () => {
    let subject: UploadLedgerUnderTest;
    let ledger: UploadLedger;
    let time: number;
    let packages: string[];

    async function begin(): Promise<void> {
      subject = await open();
      ({ ledger } = subject);
      time = 1000;
      packages = [];
    }

    beforeEach(begin);
    afterEach(() => subject.dispose());

    async function issue(key: string): Promise<void> {
      const grant = { key, accountId: `of ${key}`, issuedAt: time, policyExpiresAt: time + 1 };
      // A key that is taken is refused, and changes nothing.
      await ledger.recordIssued(grant).catch(() => undefined);
    }

    function store(key: string, size: number, forbidOverwrite: boolean): Promise<unknown> {
      const object = {
        locator: String(time),
        size,
        md5: '',
        crc64: '',
        storedAt: time,
        headers: {},
      };
      return ledger.recordStored({ key, forbidOverwrite, object });
    }

    async function locatorsOf(keys: readonly string[]): Promise<string[]> {
      const found = await Promise.all(keys.map((key) => ledger.findUpload(key)));
      return found.map((upload) => (upload && 'object' in upload ? upload.object.locator : 'none'));
    }

    async function claim(keys: readonly string[]): Promise<void> {
      const wanted: FirmwarePackage = {
        ...{ id: `p${time}`, accountId: 'acme', name: `n${time}`, destVersion: '1' },
        ...{
          differential: false,
          moduleName: 'm',
          signMethod: 'MD5',
          status: 0,
          verifyProgress: 0,
        },
        ...{ createdAt: time, modifiedAt: time },
        files: keys.map((key) => ({ key, size: 1, sign: '', md5: '' })),
      };
      const locators = await locatorsOf(keys);
      const { kind } = await ledger.claim({
        ...{ package: wanted, locators, storedAfter: 0, maxPackages: 3 },
      });
      if (kind === 'claimed') packages.push(wanted.id);
    }

    async function deleteUpload(key: string): Promise<void> {
      const [locator = ''] = await locatorsOf([key]);
      await ledger.deleteUpload(key, locator, time);
    }

    async function confirm(limit: number): Promise<void> {
      const bodies = await ledger.takePurging(NEVER, NEVER, limit);
      const sequences = bodies.map(({ sequence }) => sequence);
      await ledger.confirmPurged([...sequences, ...sequences], time);
    }

    const key = fc.constantFrom(...KEYS);
    const age = fc.nat({ max: 20 });
    const limit = fc.integer({ min: 1, max: 3 });
    const step: fc.Arbitrary<() => Promise<unknown>> = fc.oneof(
      key.map((one) => () => issue(one)),
      fc.tuple(key, fc.nat({ max: 9 }), fc.boolean()).map(
        ([one, size, forbid]) =>
          () =>
            store(one, size, forbid),
      ),
      fc.uniqueArray(key, { minLength: 1, maxLength: 2 }).map((keys) => () => claim(keys)),
      key.map((one) => () => deleteUpload(one)),
      fc.constant(() => ledger.deletePackage('acme', packages.shift() ?? 'none', time)),
      fc.tuple(age, limit).map(
        ([ago, most]) =>
          () =>
            ledger.expireStored(time - ago, time, time, most),
      ),
      limit.map((most) => () => confirm(most)),
      fc.tuple(age, limit).map(
        ([ago, most]) =>
          () =>
            ledger.pruneIssued(time - ago, most),
      ),
      fc.tuple(age, limit).map(
        ([ago, most]) =>
          () =>
            ledger.pruneTombstones(time - ago, most),
      ),
    );

    /** Counts the rows one by one. */
    async function recount(): Promise<unknown> {
      const uploads = Object.fromEntries(STATES.map((state) => [state, { count: 0, bytes: 0 }]));
      for await (const upload of allUploads(ledger)) {
        const total = uploads[upload.state];
        if (total === undefined) continue;
        total.count += 1;
        total.bytes += 'object' in upload ? upload.object.size : 0;
      }
      return { uploads, packages: (await allPackages(ledger)).length };
    }

    async function oldestByHand(): Promise<number | undefined> {
      const times: number[] = [];
      for await (const upload of allUploads(ledger)) {
        if (upload.state === 'stored') times.push(upload.object.storedAt);
      }
      return times.length === 0 ? undefined : Math.min(...times);
    }

    const shown = ({ packages: count, uploads }: LedgerTotals): unknown => ({
      uploads,
      packages: count,
    });

    it('adds up the changes of any operations to what a recount finds', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 12, maxLength: 40 }),
          fc.nat({ max: 10 }),
          async (steps, at) => {
            await subject.dispose();
            await begin();
            const totals = new LedgerTotals();
            for (const [index, run] of steps.entries()) {
              // Begins to watch a ledger that may have uploads already.
              if (index === at) await totals.start(ledger);
              time += 1;
              await run();
            }
            if (steps.length <= at) await totals.start(ledger);
            await totals.catchUp();
            expect(shown(totals)).toEqual(await recount());
            expect(await ledger.oldestStored()).toBe(await oldestByHand());
          },
        ),
        { numRuns: 60 },
      );
    });

    it('adds up the changes of each account, but nothing of a step that has failed, nor of a later one', async () => {
      const totals = new LedgerTotals();
      const stop = await ledger.watch((change) => {
        totals.add(change);
      });
      await issue('a');
      await Promise.allSettled([store('a', 3, false), issue('a')]);
      await ledger.catchUp?.();
      stop();
      await issue('b');
      await ledger.catchUp?.();
      expect(totals.of('of a').uploads).toMatchObject({
        issued: { count: 0, bytes: 0 },
        stored: { count: 1, bytes: 3 },
      });
      expect(totals.of('of b').isEmpty).toBe(true);
    });

    it('gives the reason and the account of each body to delete', async () => {
      await issue('a');
      await store('a', 1, false);
      time += 1;
      await store('a', 2, false);
      const [replaced] = await ledger.takePurging(NEVER, NEVER, 10);
      expect(replaced).toMatchObject({ key: 'a', reason: 'replaced', accountId: 'of a', size: 1 });
      expect(await ledger.expireStored(time, time, time, 10)).toMatchObject([
        { key: 'a', reason: 'unclaimed', accountId: 'of a' },
      ]);
    });
  });
}
