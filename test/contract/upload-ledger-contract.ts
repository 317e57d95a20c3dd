import type { FirmwarePackage } from '../../src/uploads/firmware-package.ts';
import type {
  ClaimRecord,
  PurgingBody,
  StoredRecord,
  UploadLedger,
} from '../../src/uploads/ports.ts';

/** A new ledger under test. */
export interface UploadLedgerUnderTest {
  ledger: UploadLedger;
  /** The same ledger as another process or connection uses it. */
  another: UploadLedger;
  dispose(): Promise<void>;
}

/** Later than any time. */
export const NEVER = Number.MAX_SAFE_INTEGER;

const ISSUE = { accountId: 'acme', issuedAt: 1000, policyExpiresAt: 61_000 };

export function aBody(
  key: string,
  locator: string,
  change: Partial<StoredRecord['object']> = {},
): StoredRecord {
  return {
    key,
    forbidOverwrite: false,
    object: {
      locator,
      size: 3,
      md5: '0cc175b9c0f1b6a831c399e269772661',
      crc64: '18446744073709551615',
      storedAt: 2000,
      headers: { 'content-type': 'text/plain', 'x-oss-meta-ü': '"quoted"' },
      ...change,
    },
  };
}

function aPackage(change: Partial<FirmwarePackage> = {}): FirmwarePackage {
  return {
    id: 'p1',
    accountId: 'acme',
    name: 'fw',
    destVersion: '1.0',
    differential: false,
    moduleName: 'default',
    signMethod: 'MD5',
    status: 0,
    verifyProgress: 0,
    createdAt: 3000,
    modifiedAt: 3000,
    files: [{ key: 'k1', size: 3, sign: 'aa', md5: 'aa' }],
    ...change,
  };
}

export function aClaim(
  change: Partial<FirmwarePackage> = {},
  claim: Partial<ClaimRecord> = {},
): ClaimRecord {
  return {
    package: aPackage(change),
    locators: ['l1'],
    storedAfter: 0,
    maxPackages: 500,
    ...claim,
  };
}

/** The tests that every upload ledger passes. */
export function describeUploadLedger(
  name: string,
  open: () => Promise<UploadLedgerUnderTest>,
): void {
  describe(`${name} as an upload ledger`, () => {
    let subject: UploadLedgerUnderTest;
    let ledger: UploadLedger;

    beforeEach(async () => {
      subject = await open();
      ledger = subject.ledger;
    });

    afterEach(() => subject.dispose());

    describe('issued and stored', () => {
      it('finds nothing under an unknown key', async () => {
        expect(await ledger.findUpload('k1')).toBeUndefined();
        expect(await ledger.findPurged('k1')).toBeUndefined();
        expect(await ledger.hasBody('l1')).toBe(false);
      });

      it('finds nothing by a text with U+0000, which none of its texts has', async () => {
        await ledger.recordStored(aBody('a', 'l1'));
        await ledger.claim(aClaim());
        const text = 'a\0b';
        expect(await ledger.findUpload(text)).toBeUndefined();
        expect(await ledger.findPurged(text)).toBeUndefined();
        expect(await ledger.findHistory(text, 10)).toEqual([]);
        expect(await ledger.findPackageById(text)).toBeUndefined();
        expect(await ledger.findPackage('acme', text)).toBeUndefined();
        expect(await ledger.findPackageByName('acme', text)).toBeUndefined();
        expect(await ledger.deleteUpload(text, 'l1', 9)).toBe(false);
      });

      it('records the account of a body whose key was never issued, but not of one that has a holder', async () => {
        expect(await ledger.recordStored({ ...aBody('k1', 'l1'), issue: ISSUE })).toBe('stored');
        expect(await ledger.findUpload('k1')).toMatchObject({ state: 'stored', issue: ISSUE });
        const issue = { ...ISSUE, accountId: 'other' };
        expect(await ledger.recordStored({ ...aBody('k1', 'l2'), issue })).toBe('stored');
        expect(await ledger.findUpload('k1')).toMatchObject({ state: 'stored', issue: ISSUE });
        expect((await ledger.countUploads('acme')).stored.count).toBe(1);
      });

      it('says what holds a key', async () => {
        expect(await ledger.findHolder('k1')).toBeUndefined();
        await ledger.recordIssued({ key: 'k1', ...ISSUE });
        expect(await ledger.findHolder('k1')).toEqual({ state: 'issued', size: 0, issue: ISSUE });
        await ledger.recordStored(aBody('k1', 'l1', { size: 7 }));
        expect(await ledger.findHolder('k1')).toEqual({ state: 'stored', size: 7, issue: ISSUE });
        await ledger.recordStored(aBody('k2', 'l2', { size: 8 }));
        expect(await ledger.findHolder('k2')).toEqual({ state: 'stored', size: 8 });
        await ledger.deleteUpload('k2', 'l2', 1);
        expect(await ledger.findHolder('k2')).toBeUndefined();
      });

      it('is writable, and keeps nothing of the check', async () => {
        await ledger.requireWritable();
        await ledger.requireWritable();
        expect(await ledger.listUploads(0, 10)).toEqual([]);
      });

      it('records the account of an issued key', async () => {
        await ledger.recordIssued({ key: 'k1', ...ISSUE });
        expect(await ledger.findUpload('k1')).toEqual({ key: 'k1', state: 'issued', issue: ISSUE });
      });

      it('rejects a key that was issued before', async () => {
        await ledger.recordIssued({ key: 'k1', ...ISSUE });
        // Not `toThrow`: the error of a native module may come from the global scope of another test file.
        await expect(ledger.recordIssued({ key: 'k1', ...ISSUE })).rejects.toHaveProperty(
          'message',
        );
      });

      it('records the measured values of a body, and keeps the issue', async () => {
        await ledger.recordIssued({ key: 'k1', ...ISSUE });
        const body = aBody('k1', 'l1', { size: 2 ** 40, sha256: 'ff' });
        expect(await ledger.recordStored(body)).toBe('stored');
        expect(await ledger.findUpload('k1')).toEqual({
          key: 'k1',
          state: 'stored',
          issue: ISSUE,
          object: body.object,
        });
        expect(await ledger.hasBody('l1')).toBe(true);
      });

      it('stores a body under a key that was never issued', async () => {
        expect(await ledger.recordStored(aBody('k1', 'l1'))).toBe('stored');
        expect(await ledger.findUpload('k1')).not.toHaveProperty('issue');
      });

      it('replaces an unclaimed body: new locator, new time, old body purging', async () => {
        await ledger.recordIssued({ key: 'k1', ...ISSUE });
        await ledger.recordStored(aBody('k1', 'l1'));
        await ledger.recordStored(aBody('k1', 'l2', { storedAt: 5000 }));
        expect(await ledger.findUpload('k1')).toMatchObject({
          state: 'stored',
          issue: ISSUE,
          object: { locator: 'l2', storedAt: 5000 },
        });
        expect(await ledger.findPurged('k1')).toMatchObject({
          state: 'purging',
          object: { locator: 'l1' },
          purge: { reason: 'replaced', purgingSince: 5000 },
        });
        expect(await ledger.takePurging(NEVER, NEVER, 10)).toMatchObject([
          { locator: 'l1', key: 'k1' },
        ]);
      });

      it('does not replace a stored body that must not be overwritten', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        const record = { ...aBody('k1', 'l2'), forbidOverwrite: true };
        expect(await ledger.recordStored(record)).toBe('exists');
        expect(await ledger.hasBody('l2')).toBe(false);
      });

      it('does not replace a claimed body', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        await ledger.claim(aClaim());
        expect(await ledger.recordStored(aBody('k1', 'l2'))).toBe('immutable');
        expect(await ledger.findUpload('k1')).toMatchObject({ object: { locator: 'l1' } });
      });

      it('adds a SHA-256 later', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        await ledger.recordSha256('l1', 'abcd');
        expect(await ledger.findUpload('k1')).toMatchObject({ object: { sha256: 'abcd' } });
      });

      it('lists uploads in any state by page, oldest first', async () => {
        await ledger.recordIssued({ key: 'k1', ...ISSUE });
        for (const number of [2, 3, 4]) {
          await ledger.recordStored(aBody(`k${number}`, `l${number}`));
        }
        await ledger.recordStored(aBody('k1', 'l1'));
        await ledger.claim(aClaim());
        await ledger.deleteUpload('k3', 'l3', 5000);
        const [one, two, ...others] = await ledger.listUploads(0, 2);
        expect(others).toEqual([]);
        const rest = await ledger.listUploads(two?.sequence ?? 0, 10);
        const all = [one, two, ...rest].map((each) => [each?.upload.key, each?.upload.state]);
        expect(all).toEqual([
          ['k1', 'claimed'],
          ['k2', 'stored'],
          ['k3', 'purging'],
          ['k4', 'stored'],
        ]);
        expect(one?.upload).toEqual(await ledger.findUpload('k1'));
        expect(rest[0]?.upload).toEqual(await ledger.findPurged('k3'));
        expect(await ledger.listUploads(rest.at(-1)?.sequence ?? 0, 10)).toEqual([]);
      });

      it('keeps the request of each step, and who has sent the body', async () => {
        const body = { requestId: 'r2', peer: '192.0.2.1' };
        await ledger.recordIssued({ key: 'k1', ...ISSUE, requestId: 'r1' });
        const issue = { ...ISSUE, requestId: 'r1' };
        expect(await ledger.findUpload('k1')).toEqual({ key: 'k1', state: 'issued', issue });
        await ledger.recordStored(aBody('k1', 'l1', body));
        expect(await ledger.findUpload('k1')).toMatchObject({ issue, object: body });
        await ledger.claim(aClaim({ createdAt: 3000 }, { requestId: 'r3' }));
        const claim = { claimedAt: 3000, requestId: 'r3' };
        expect(await ledger.findUpload('k1')).toMatchObject({ issue, object: body, claim });
        await ledger.deletePackage('acme', 'p1', 4000, 'r4');
        await ledger.confirmPurged(
          (await ledger.takePurging(NEVER, NEVER, 10)).map(({ sequence }) => sequence),
          5000,
        );
        const purge = { reason: 'deleted', purgingSince: 4000, purgedAt: 5000, requestId: 'r4' };
        const purged = { state: 'purged', issue, object: body, claim, purge };
        expect(await ledger.findPurged('k1')).toMatchObject(purged);
      });

      it('keeps the request that has replaced or deleted a stored upload', async () => {
        await ledger.recordStored(aBody('k1', 'l1', { requestId: 'r1', peer: '192.0.2.1' }));
        await ledger.recordStored(aBody('k1', 'l2', { requestId: 'r2', peer: '192.0.2.2' }));
        const replaced = { object: { requestId: 'r1', peer: '192.0.2.1' } };
        expect(await ledger.findPurged('k1')).toMatchObject({
          ...replaced,
          purge: { reason: 'replaced', requestId: 'r2' },
        });
        await ledger.deleteUpload('k1', 'l2', 4000, 'r3');
        expect(await ledger.findPurged('k1')).toMatchObject({
          object: { requestId: 'r2', peer: '192.0.2.2' },
          purge: { reason: 'deleted', requestId: 'r3' },
        });
      });

      it('keeps the request of the policy with each body of its key', async () => {
        await ledger.recordIssued({ key: 'k1', ...ISSUE, requestId: 'r1' });
        await ledger.recordStored(aBody('k1', 'l1'));
        await ledger.recordStored(aBody('k1', 'l2'));
        expect(await ledger.findUpload('k1')).toMatchObject({ issue: { requestId: 'r1' } });
      });

      it('names no request for what the purge has done', async () => {
        await ledger.recordStored(aBody('k1', 'l1', { requestId: 'r1' }));
        await ledger.expireStored(2000, 3000, 3000, 10);
        const upload = await ledger.findPurged('k1');
        expect(upload?.purge).toEqual({ reason: 'unclaimed', purgingSince: 3000 });
        expect(upload).not.toHaveProperty('claim');
      });

      it('deletes a stored upload once, and never another body of its key', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        expect(await ledger.deleteUpload('k1', 'l0', 9)).toBe(false);
        expect(await ledger.deleteUpload('k1', 'l1', 9)).toBe(true);
        expect(await ledger.deleteUpload('k1', 'l1', 9)).toBe(false);
        expect(await ledger.findUpload('k1')).toBeUndefined();
        expect(await ledger.findPurged('k1')).toMatchObject({ purge: { reason: 'deleted' } });
      });
    });

    describe('claim', () => {
      it('creates the package and claims its uploads', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        await ledger.recordStored(aBody('k2', 'l2'));
        const wanted = aPackage({
          instanceId: 'iot-1',
          description: 'd',
          srcVersion: '0.9',
          differential: true,
          productKey: 'pk',
          udi: '{}',
          status: -1,
          files: [
            { name: 'one', key: 'k1', size: 3, sign: 'aa', md5: 'bb' },
            { name: 'two', key: 'k2', size: 4, sign: 'cc', md5: 'dd' },
          ],
        });
        const claim = { ...aClaim(), package: wanted, locators: ['l1', 'l2'] };
        expect(await ledger.claim(claim)).toEqual({ kind: 'claimed' });
        expect(await ledger.findPackage('acme', 'p1')).toEqual(wanted);
        expect(await ledger.findPackageByName('acme', 'fw')).toEqual(wanted);
        expect(await ledger.findPackage('other', 'p1')).toBeUndefined();
        for (const key of ['k1', 'k2']) {
          expect(await ledger.findUpload(key)).toMatchObject({ state: 'claimed', packageId: 'p1' });
        }
      });

      it.each([
        ['a name of the account that is taken', { id: 'p2' }, {}, { kind: 'nameTaken' }],
        [
          'a version that the product already has',
          { id: 'p2', name: 'n', productKey: 'pk' },
          {},
          { kind: 'versionTaken' },
        ],
        [
          'a version that the product already has in another spelling of the module',
          { id: 'p2', name: 'n', productKey: 'pk', moduleName: 'DEFAULT' },
          {},
          { kind: 'versionTaken' },
        ],
        ['one package too many', { id: 'p2', name: 'n' }, { maxPackages: 1 }, { kind: 'full' }],
        [
          'an upload that is claimed',
          { id: 'p2', name: 'n' },
          { locators: ['l2', 'l1'] },
          { kind: 'notClaimable', file: 1 },
        ],
        [
          'an upload that was never stored',
          { id: 'p2', name: 'n' },
          { locators: ['l2', 'l9'] },
          { kind: 'notClaimable', file: 1 },
        ],
        [
          'an upload that is late to the millisecond',
          { id: 'p2', name: 'n' },
          { locators: ['l2'], storedAfter: 2000 },
          { kind: 'notClaimable', file: 0 },
        ],
      ])('rejects %s, and changes nothing', async (_case, change, claim, outcome) => {
        await ledger.recordStored(aBody('k1', 'l1'));
        await ledger.recordStored(aBody('k2', 'l2'));
        await ledger.claim(aClaim({ productKey: 'pk' }));
        expect(await ledger.claim(aClaim(change, { locators: ['l2'], ...claim }))).toEqual(outcome);
        expect(await ledger.findPackage('acme', 'p2')).toBeUndefined();
        expect(await ledger.findUpload('k2')).toMatchObject({ state: 'stored' });
      });

      it.each([
        ['the name of another account', { accountId: 'other' }],
        ['a version of another product', { name: 'n', productKey: 'pk2' }],
        ['a version of another module', { name: 'n', productKey: 'pk', moduleName: 'm' }],
        ['a version of another instance', { name: 'n', productKey: 'pk', instanceId: 'i' }],
        [
          'a differential package of the same version',
          { name: 'n', productKey: 'pk', differential: true, srcVersion: '0.9' },
        ],
        ['the same version without a product', { name: 'n' }],
        ['a place that is still free for its instance', { name: 'n', instanceId: 'i' }],
      ])('accepts %s', async (_case, change) => {
        await ledger.recordStored(aBody('k1', 'l1'));
        await ledger.recordStored(aBody('k2', 'l2'));
        await ledger.claim(aClaim({ productKey: 'pk' }));
        const claim = aClaim({ id: 'p2', ...change }, { locators: ['l2'], maxPackages: 2 });
        expect(await ledger.claim(claim)).toEqual({ kind: 'claimed' });
      });

      it('accepts an upload until the last millisecond before its deadline', async () => {
        await ledger.recordStored(aBody('k1', 'l1', { storedAt: 2000 }));
        expect(await ledger.claim(aClaim({}, { storedAfter: 1999 }))).toEqual({ kind: 'claimed' });
      });

      it('accepts exactly one of many claims of an upload', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            ledger.claim(aClaim({ id: `p${String(n)}`, name: `n${String(n)}` })),
          ),
        );
        expect(outcomes.filter(({ kind }) => kind === 'claimed')).toHaveLength(1);
      });

      it('accepts either the claim or the purge of each upload, also from two instances', async () => {
        const uploads = Array.from({ length: 20 }, (_, n) => String(n));
        for (const n of uploads) await ledger.recordStored(aBody(`k${n}`, `l${n}`));
        const claims = uploads.map(async (n) => {
          const claim = aClaim({ id: `p${n}`, name: n, files: [] }, { locators: [`l${n}`] });
          return (await ledger.claim(claim)).kind === 'claimed' ? [`l${n}`] : [];
        });
        const purges = uploads.map(async () =>
          (await subject.another.expireStored(2000, 9, 9, 1)).map(({ locator }) => locator),
        );
        const winners = (await Promise.all([...claims, ...purges])).flat();
        expect(winners.sort()).toEqual(uploads.map((n) => `l${n}`).sort());
      });
    });

    describe('bodies', () => {
      it('are listed by their locators with what expects them', async () => {
        for (const n of [4, 1, 3, 2])
          await ledger.recordStored(aBody(`k${String(n)}`, `l${String(n)}`));
        await ledger.recordIssued({ key: 'k5', ...ISSUE });
        await ledger.claim(aClaim());
        await ledger.deleteUpload('k2', 'l2', 9);
        await ledger.deleteUpload('k3', 'l3', 9);
        const [second] = await ledger.takePurging(10, 70, 1);
        await ledger.confirmPurged([second?.sequence ?? 0], 10);
        const { crc64, md5, size } = aBody('k1', 'l1').object;
        const each = { size, md5, crc64, sequence: expect.any(Number) };
        const first = await ledger.listBodies('', 2);
        expect(first).toEqual([
          { ...each, locator: 'l1', state: 'claimed', key: 'k1' },
          {
            ...each,
            locator: second?.locator === 'l2' ? 'l3' : 'l2',
            state: 'purging',
            key: expect.any(String),
          },
        ]);
        expect(await ledger.listBodies(first[1]?.locator ?? '', 2)).toEqual([
          { ...each, locator: 'l4', state: 'stored', key: 'k4' },
        ]);
        expect(await ledger.listBodies('l4', 2)).toEqual([]);
      });

      it('that no row has are given up: they are purged, and cannot be recorded any more', async () => {
        const orphans = [
          { locator: 'o1', size: 5 },
          { locator: 'o2', size: 0 },
        ];
        expect(await ledger.disown(orphans, 9)).toBe(2);
        expect(await ledger.hasBody('o1')).toBe(true);
        expect(await ledger.countUploads()).toMatchObject({ purging: { count: 2, bytes: 5 } });
        const bodies = await ledger.takePurging(10, 70, 10);
        expect(bodies).toMatchObject([
          { locator: 'o1', size: 5, reason: 'unclaimed' },
          { locator: 'o2', size: 0, reason: 'unclaimed' },
        ]);
        expect(bodies[0]).not.toHaveProperty('accountId');
        await ledger.confirmPurged(
          bodies.map(({ sequence }) => sequence),
          10,
        );
        await ledger.recordIssued({ key: 'k1', ...ISSUE });
        await ledger.recordStored(aBody('k2', 'l2'));
        for (const key of ['k1', 'k2', 'k3'])
          expect(await subject.another.recordStored(aBody(key, 'o1'))).toBe('disowned');
        expect(await ledger.findUpload('k1')).toMatchObject({ state: 'issued' });
        expect(await ledger.findUpload('k2')).toMatchObject({ object: { locator: 'l2' } });
        expect(await ledger.findUpload('k3')).toBeUndefined();
      });

      it('that were given up have a key that no client can use, and are shown as other purged ones', async () => {
        await ledger.disown([{ locator: 'o1', size: 5 }], 9);
        const [body] = await ledger.takePurging(10, 70, 10);
        const key = body?.key ?? '';
        expect(key).toBe('_gateway/disowned/o1');
        const purge = { reason: 'unclaimed', purgingSince: 9 };
        const upload = { key, state: 'purging', purge, object: { locator: 'o1', size: 5 } };
        expect(await ledger.findPurged(key)).toMatchObject(upload);
        expect(await ledger.listUploads(0, 10)).toMatchObject([{ upload }]);
      });

      it('that a row has are not given up, whatever its state', async () => {
        for (const n of [1, 2, 3])
          await ledger.recordStored(aBody(`k${String(n)}`, `l${String(n)}`));
        await ledger.claim(aClaim());
        await ledger.deleteUpload('k2', 'l2', 9);
        const found = ['l1', 'l2', 'l3', 'o1', 'o1'].map((locator) => ({ locator, size: 3 }));
        expect(await ledger.disown(found, 9)).toBe(1);
        expect(await ledger.disown(found, 9)).toBe(0);
        expect(await ledger.disown([], 9)).toBe(0);
        expect(await ledger.findUpload('k1')).toMatchObject({ state: 'claimed' });
        expect(await ledger.findUpload('k3')).toMatchObject({ state: 'stored' });
      });

      it('are either recorded or given up when both come at once', async () => {
        const all = Array.from({ length: 30 }, (_, n) => String(n));
        const outcomes = await Promise.all(
          all.map(async (n) => {
            const body = { locator: `l${n}`, size: 3 };
            const [recorded, count] = await Promise.all([
              ledger.recordStored(aBody(`k${n}`, body.locator)),
              subject.another.disown([body], 9),
            ]);
            return [recorded, count];
          }),
        );
        for (const outcome of outcomes)
          expect([
            ['stored', 0],
            ['disowned', 1],
          ]).toContainEqual(outcome);
      });

      it('of one new key are all recorded when they come at once, and all but the last are replaced', async () => {
        const all = Array.from({ length: 30 }, (_, n) => `l${String(n)}`);
        const outcomes = await Promise.all(
          all.map((locator, n) =>
            (n % 2 ? ledger : subject.another).recordStored(aBody('k1', locator)),
          ),
        );
        expect(outcomes).toEqual(all.map(() => 'stored'));
        expect(await ledger.countUploads()).toMatchObject({
          stored: { count: 1 },
          purging: { count: 29 },
        });
        expect(await ledger.findHistory('k1', 100)).toHaveLength(30);
      });

      it('of one new key are recorded once when none may be overwritten', async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 10 }, (_, n) =>
            (n % 2 ? ledger : subject.another).recordStored({
              ...aBody('k1', `l${String(n)}`),
              forbidOverwrite: true,
            }),
          ),
        );
        expect(outcomes.sort()).toEqual([...Array.from({ length: 9 }, () => 'exists'), 'stored']);
      });
    });

    describe('packages', () => {
      const listed = async (filter: object): Promise<string[]> => {
        const page = await ledger.listPackages({
          accountId: 'acme',
          offset: 0,
          limit: 10,
          ...filter,
        });
        return [...page.packages.map(({ id }) => id), `of ${String(page.total)}`];
      };

      it('lists the accounts that have packages', async () => {
        await ledger.recordStored(aBody('k4', 'l4'));
        await ledger.claim(
          aClaim({ id: 'p4', accountId: 'other', name: 'n4' }, { locators: ['l4'] }),
        );
        expect(await ledger.packageOwners()).toEqual([
          { accountId: 'acme', packages: 3 },
          { accountId: 'other', packages: 1 },
        ]);
      });

      beforeEach(async () => {
        for (const n of [1, 2, 3]) {
          await ledger.recordStored(aBody(`k${String(n)}`, `l${String(n)}`));
          const productKey = n === 3 ? {} : { productKey: 'pk' };
          await ledger.claim(
            aClaim(
              {
                id: `p${String(n)}`,
                name: `n${String(n)}`,
                destVersion: `v${String(n)}`,
                ...productKey,
              },
              { locators: [`l${String(n)}`] },
            ),
          );
        }
      });

      it('lists packages newest first, by page and filter', async () => {
        expect(await listed({})).toEqual(['p3', 'p2', 'p1', 'of 3']);
        expect(await listed({ offset: 1, limit: 1 })).toEqual(['p2', 'of 3']);
        expect(await listed({ productKey: 'pk' })).toEqual(['p2', 'p1', 'of 2']);
        expect(await listed({ destVersion: 'v3' })).toEqual(['p3', 'of 1']);
        expect(await listed({ accountId: 'other' })).toEqual(['of 0']);
        expect(await listed({ instanceId: 'i' })).toEqual(['of 0']);
      });

      it('changes the given members of a package, and no others', async () => {
        const before = await ledger.findPackage('acme', 'p1');
        const change = {
          name: 'new',
          description: 'd',
          udi: 'u',
          status: 1 as const,
          verifyProgress: 100,
        };
        expect(await ledger.modifyPackage('acme', 'p1', { ...change, modifiedAt: 9 })).toBe(
          'modified',
        );
        expect(await ledger.findPackage('acme', 'p1')).toEqual({
          ...before,
          ...change,
          modifiedAt: 9,
        });
        expect(await ledger.modifyPackage('acme', 'p1', { modifiedAt: 10 })).toBe('modified');
        expect(await ledger.findPackage('acme', 'p1')).toMatchObject({ ...change, modifiedAt: 10 });
      });

      it('rejects a change to a name that is taken, and of a package that does not exist', async () => {
        const change = { name: 'n2', modifiedAt: 9 };
        expect(await ledger.modifyPackage('acme', 'p1', change)).toBe('nameTaken');
        expect(await ledger.modifyPackage('acme', 'p2', change)).toBe('modified');
        expect(await ledger.modifyPackage('other', 'p1', change)).toBe('notFound');
      });

      it('moves the uploads of a deleted package to purging', async () => {
        expect(await ledger.deletePackage('other', 'p1', 9)).toBe(false);
        expect(await ledger.deletePackage('acme', 'p1', 9)).toBe(true);
        expect(await ledger.deletePackage('acme', 'p1', 9)).toBe(false);
        expect(await ledger.findPackage('acme', 'p1')).toBeUndefined();
        expect(await ledger.findUpload('k1')).toBeUndefined();
        expect(await ledger.takePurging(NEVER, NEVER, 10)).toMatchObject([{ locator: 'l1' }]);
      });
    });

    describe('purge', () => {
      it('expires old uploads in batches', async () => {
        for (const [n, storedAt] of [100, 300, 200].entries()) {
          await ledger.recordStored(aBody(`k${String(n)}`, `l${String(n)}`, { storedAt }));
        }
        const expire = async (): Promise<string[]> =>
          (await ledger.expireStored(200, 9, 9, 1)).map(({ locator }) => locator);
        expect(await expire()).toEqual(['l0']);
        expect(await expire()).toEqual(['l2']);
        expect(await expire()).toEqual([]);
      });

      it('keeps an upload in purging until it is confirmed, then as a tombstone', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        const [body] = await ledger.expireStored(2000, 9, 9, 10);
        expect(body).toMatchObject({ key: 'k1', locator: 'l1', size: 3 });
        expect(await ledger.hasBody('l1')).toBe(true);
        await ledger.confirmPurged([body?.sequence ?? 0], 10);
        expect(await ledger.takePurging(NEVER, NEVER, 10)).toEqual([]);
        expect(await ledger.hasBody('l1')).toBe(false);
        expect(await ledger.findPurged('k1')).toMatchObject({
          state: 'purged',
          object: { size: 3 },
          purge: { reason: 'unclaimed', purgingSince: 9, purgedAt: 10 },
        });
      });

      it('confirms a body for one caller only', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        await ledger.recordStored(aBody('k2', 'l2'));
        const sequences = (await ledger.expireStored(2000, 9, 9, 10)).map(
          ({ sequence }) => sequence,
        );
        const [first, second] = sequences;
        expect(await ledger.confirmPurged([second ?? 0], 10)).toEqual([second]);
        expect(await ledger.confirmPurged(sequences, 11)).toEqual([first]);
        expect(await ledger.confirmPurged(sequences, 12)).toEqual([]);
      });

      it('keeps the digests of a purged body, and removes its headers', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        const [body] = await ledger.expireStored(2000, 9, 9, 10);
        await ledger.confirmPurged([body?.sequence ?? 0], 10);
        const { object } = aBody('k1', 'l1');
        const purged = { key: 'k1', object: { ...object, headers: {} } };
        expect(await ledger.findPurged('k1')).toMatchObject(purged);
        expect(Object.keys((await ledger.findPurged('k1'))?.object.headers ?? {})).toEqual([]);
      });

      it('returns space to the disk in steps without losing rows', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        let steps = 0;
        while ((await ledger.reclaimSpace()) && steps < 100) steps += 1;
        expect(steps).toBeLessThan(100);
        expect(await ledger.findUpload('k1')).toMatchObject({ object: aBody('k1', 'l1').object });
      });

      describe('of bodies that others want, too,', () => {
        const locatorsOf = async (bodies: Promise<readonly PurgingBody[]>): Promise<string[]> =>
          (await bodies).map(({ locator }) => locator).sort();

        beforeEach(async () => {
          for (const n of [1, 2, 3])
            await ledger.recordStored(aBody(`k${String(n)}`, `l${String(n)}`));
        });

        it('gives deleted ones at once, the first ones first, and each only once', async () => {
          for (const n of [1, 2, 3]) await ledger.deleteUpload(`k${String(n)}`, `l${String(n)}`, 9);
          expect(await locatorsOf(ledger.takePurging(10, 70, 2))).toEqual(['l1', 'l2']);
          expect(await locatorsOf(subject.another.takePurging(10, 70, 2))).toEqual(['l3']);
          expect(await locatorsOf(ledger.takePurging(10, 70, 2))).toEqual([]);
        });

        it('gives a body again when the time has come until which it was taken', async () => {
          await ledger.deleteUpload('k2', 'l2', 9);
          await ledger.takePurging(10, 70, 2);
          expect(await locatorsOf(subject.another.takePurging(69, 129, 2))).toEqual([]);
          expect(await locatorsOf(subject.another.takePurging(70, 130, 2))).toEqual(['l2']);
          expect(await locatorsOf(ledger.takePurging(70, 130, 2))).toEqual([]);
        });

        it('gives a body again when it was released', async () => {
          await ledger.deleteUpload('k1', 'l1', 9);
          await ledger.deleteUpload('k2', 'l2', 9);
          const [first] = await ledger.takePurging(10, 70, 2);
          await ledger.releasePurging([first?.sequence ?? 0]);
          await ledger.releasePurging([]);
          expect(await locatorsOf(subject.another.takePurging(10, 70, 2))).toEqual(['l1']);
        });

        it('gives those that have expired, and of retired packages, to nobody else', async () => {
          await ledger.claim(aClaim({ createdAt: 3000 }));
          expect(await locatorsOf(ledger.expireStored(2000, 10, 70, 1))).toEqual(['l2']);
          const { bodies, packages } = await ledger.retirePackages(3000, 10, 70, 1);
          expect(packages).toMatchObject([{ id: 'p1' }]);
          expect(bodies).toMatchObject([{ locator: 'l1', reason: 'retired' }]);
          expect(await locatorsOf(subject.another.takePurging(69, 129, 9))).toEqual([]);
          expect(await locatorsOf(subject.another.takePurging(70, 130, 9))).toEqual(['l1', 'l2']);
        });

        it('gives each to one of many callers at once', async () => {
          for (const n of [1, 2, 3]) await ledger.deleteUpload(`k${String(n)}`, `l${String(n)}`, 9);
          const takers = Array.from({ length: 10 }, (_, n) => (n % 2 ? ledger : subject.another));
          const taken = await Promise.all(takers.map((one) => one.takePurging(10, 70, 2)));
          const locators = taken.flat().map(({ locator }) => locator);
          expect(locators.sort()).toEqual(['l1', 'l2', 'l3']);
        });

        it('lets one of two instances confirm each', async () => {
          const bodies = await ledger.expireStored(2000, 9, 70, 10);
          const sequences = bodies.map(({ sequence }) => sequence);
          const confirmed = await Promise.all([
            ledger.confirmPurged(sequences, 10),
            subject.another.confirmPurged(sequences, 10),
          ]);
          expect(confirmed.flat().sort()).toEqual([...sequences].sort());
        });
      });

      it('stores a new upload under the key of a purged one', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        await ledger.expireStored(2000, 9, 9, 10);
        expect(await ledger.recordStored(aBody('k1', 'l2'))).toBe('stored');
        expect(await ledger.findUpload('k1')).toMatchObject({ object: { locator: 'l2' } });
      });

      it('removes issued uploads after their policy has expired', async () => {
        for (const key of ['k1', 'k2', 'k3']) await ledger.recordIssued({ key, ...ISSUE });
        await ledger.recordStored(aBody('k2', 'l2'));
        expect(await ledger.pruneIssued(ISSUE.policyExpiresAt, 10)).toBe(0);
        expect(await ledger.pruneIssued(ISSUE.policyExpiresAt + 1, 1)).toBe(1);
        expect(await ledger.pruneIssued(ISSUE.policyExpiresAt + 1, 10)).toBe(1);
        expect(await ledger.findUpload('k1')).toBeUndefined();
        expect(await ledger.findUpload('k2')).toBeDefined();
      });

      it('keeps the issue of a body whose key was removed while the body came', async () => {
        await ledger.recordIssued({ key: 'k1', ...ISSUE });
        const issue = (await ledger.findUpload('k1'))?.issue;
        await subject.another.pruneIssued(NEVER, 10);
        expect(await ledger.recordStored({ ...aBody('k1', 'l1'), issue })).toBe('stored');
        expect(await ledger.findUpload('k1')).toMatchObject({ state: 'stored', issue: ISSUE });
      });

      it('removes the oldest packages, and shows their uploads as retired', async () => {
        for (const n of [1, 2, 3]) {
          const number = String(n);
          await ledger.recordStored(aBody(`k${number}`, `l${number}`));
          const files = [{ key: `k${number}`, size: 1, sign: '', md5: '' }];
          const change = { id: `p${number}`, name: number, createdAt: 1000 * n, files };
          await ledger.claim(aClaim(change, { locators: [`l${number}`] }));
        }
        expect(await ledger.retirePackages(2000, 5000, 5000, 1)).toMatchObject({
          packages: [{ id: 'p1', files: [{ key: 'k1' }] }],
          bodies: [{ key: 'k1', locator: 'l1', size: 3, reason: 'retired' }],
        });
        expect(await ledger.retirePackages(2000, 5000, 5000, 10)).toMatchObject({
          packages: [{ id: 'p2' }],
        });
        expect(await ledger.retirePackages(2000, 5000, 5000, 10)).toEqual({
          packages: [],
          bodies: [],
        });
        expect(await ledger.findPackage('acme', 'p1')).toBeUndefined();
        expect(await ledger.findPackage('acme', 'p3')).toBeDefined();
        expect(await ledger.findPurged('k1')).toMatchObject({
          state: 'purging',
          purge: { reason: 'retired', purgingSince: 5000 },
        });
      });

      it('removes old tombstones', async () => {
        await ledger.recordStored(aBody('k1', 'l1'));
        const [body] = await ledger.expireStored(2000, 9, 9, 10);
        expect(await ledger.pruneTombstones(1000, 10)).toBe(0);
        await ledger.confirmPurged([body?.sequence ?? 0], 500);
        expect(await ledger.pruneTombstones(500, 10)).toBe(0);
        expect(await ledger.pruneTombstones(501, 10)).toBe(1);
        expect(await ledger.findPurged('k1')).toBeUndefined();
      });
    });
  });
}
