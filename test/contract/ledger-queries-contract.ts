import type { UploadQuery } from '../../src/uploads/ledger-queries.ts';
import type { UploadLedger } from '../../src/uploads/ports.ts';
import { aBody, aClaim } from './upload-ledger-contract.ts';
import type { UploadLedgerUnderTest } from './upload-ledger-contract.ts';

/** The tests that every ledger passes that operators ask. */
export function describeLedgerQueries(
  name: string,
  open: () => Promise<Omit<UploadLedgerUnderTest, 'another'>>,
): void {
  describe(`${name}, asked by an operator`, () => {
    let subject: Omit<UploadLedgerUnderTest, 'another'>;
    let ledger: UploadLedger;

    beforeEach(async () => {
      subject = await open();
      ledger = subject.ledger;
    });

    afterEach(() => subject.dispose());

    async function issue(key: string, accountId: string, issuedAt = 1000): Promise<void> {
      await ledger.recordIssued({ key, accountId, issuedAt, policyExpiresAt: issuedAt + 60_000 });
    }

    /** Of acme: k1 claimed by the package `Pump_1`, k2 stored, k3 issued; of zeta: z1 stored; of nobody: n1 stored. */
    async function fill(): Promise<void> {
      await issue('k1', 'acme');
      await ledger.recordStored(aBody('k1', 'l1', { storedAt: 2000 }));
      await ledger.claim(aClaim({ name: 'Pump_1' }));
      await issue('k2', 'acme');
      const digests = { md5: 'abcdef12'.repeat(4), sha256: 'fedcba98'.repeat(8) };
      await ledger.recordStored(aBody('k2', 'l2', { storedAt: 3000, size: 5, ...digests }));
      await issue('z1', 'zeta');
      await ledger.recordStored(aBody('z1', 'l3', { storedAt: 4000, peer: '192.0.2.7' }));
      await ledger.recordStored(aBody('n1', 'l4', { storedAt: 5000 }));
      await issue('k3', 'acme', 6000);
    }

    async function keysOf(query: Partial<UploadQuery>): Promise<string[]> {
      const { uploads } = await ledger.findUploads({ limit: 10, ...query });
      return uploads.map(({ upload }) => upload.key);
    }

    it('finds all uploads, newest first', async () => {
      await fill();
      expect(await keysOf({})).toEqual(['k3', 'n1', 'z1', 'k2', 'k1']);
    });

    it.each<[string, Partial<UploadQuery>, string[]]>([
      ['an account', { accountId: 'acme' }, ['k3', 'k2', 'k1']],
      ['a state', { state: 'stored' }, ['n1', 'z1', 'k2']],
      ['an account and a state', { accountId: 'acme', state: 'stored' }, ['k2']],
      ['an account without uploads', { accountId: 'acm' }, []],
      ['a part of the key', { text: 'K' }, ['k3', 'k2', 'k1']],
      ['a part of the name of its package', { text: 'pump_' }, ['k1']],
      ['an MD5', { text: 'abcdef12'.repeat(4) }, ['k2']],
      ['the beginning of an MD5, in any case', { text: 'AbCdEf' }, ['k2']],
      ['a SHA-256', { text: 'fedcba98'.repeat(8) }, ['k2']],
      ['the beginning of a SHA-256, in any case', { text: 'FEDCBA9' }, ['k2']],
      ['too little of a digest', { text: 'abcde' }, []],
      ['another part of a digest', { text: 'bcdef1' }, []],
      ['the address of its peer', { text: '192.0.2.7' }, ['z1']],
      ['a part of the address of its peer', { text: '.0.2.' }, ['z1']],
      ['a text with wildcards, literally', { text: '%' }, []],
      ['a time of storing or issuing', { changedBefore: 3000 }, ['k2', 'k1']],
      ['a time of storing, when not claimed', { storedBefore: 4000 }, ['z1', 'k2']],
      ['a limit', { limit: 2 }, ['k3', 'n1']],
    ])('finds uploads by %s', async (_by, query, keys) => {
      await fill();
      expect(await keysOf(query)).toEqual(keys);
    });

    it('finds the uploads of the next page, also across gaps of removed ones', async () => {
      await fill();
      const [, second] = (await ledger.findUploads({ limit: 2 })).uploads;
      const beforeSequence = second?.sequence ?? 0;
      expect(await keysOf({ beforeSequence })).toEqual(['z1', 'k2', 'k1']);
      expect(await keysOf({ beforeSequence, accountId: 'acme' })).toEqual(['k2', 'k1']);
      expect(await keysOf({ beforeSequence: 1 })).toEqual([]);
    });

    it('finds the uploads that hold bytes, largest or oldest first, page by page', async () => {
      await fill();
      await ledger.recordStored(aBody('big', 'l5', { storedAt: 6000, size: 9 }));
      await ledger.recordStored(aBody('gone', 'l6', { storedAt: 10, size: 99 }));
      await ledger.deleteUpload('gone', 'l6', 7000);
      const orders = {
        largest: ['big', 'k2', 'n1', 'z1', 'k1'],
        oldest: ['k1', 'k2', 'z1', 'n1', 'big'],
      } as const;
      for (const order of ['largest', 'oldest'] as const) {
        const keys = orders[order];
        expect(await keysOf({ order })).toEqual(keys);
        for (const [index] of keys.entries()) {
          const { uploads } = await ledger.findUploads({ order, limit: index + 1 });
          expect(uploads.map(({ upload }) => upload.key)).toEqual(keys.slice(0, index + 1));
          const beforeSequence = uploads.at(-1)?.sequence ?? 0;
          expect(await keysOf({ order, beforeSequence })).toEqual(keys.slice(index + 1));
        }
        expect(await keysOf({ order, beforeSequence: 9999 })).toEqual([]);
        expect(await keysOf({ order, state: 'claimed' })).toEqual(['k1']);
      }
      expect(await keysOf({ order: 'largest', accountId: 'acme' })).toEqual(['k2', 'k1']);
      expect(await keysOf({ order: 'oldest', text: 'k2' })).toEqual(['k2']);
    });

    it('finds the last upload of an order behind thousands of others', async () => {
      const count = 4001;
      await Promise.all(
        Array.from({ length: count }, (_, n) =>
          ledger.recordStored(aBody(`k${String(n)}`, `l${String(n)}`, { storedAt: n, size: n })),
        ),
      );
      expect(await keysOf({ order: 'largest', text: 'k0' })).toEqual(['k0']);
      expect(await keysOf({ order: 'oldest', text: 'k4000' })).toEqual(['k4000']);
      expect(await keysOf({ order: 'oldest', limit: 1 })).toEqual(['k0']);
    });

    it('finds every upload that has held a key, newest first', async () => {
      await issue('k1', 'acme');
      await ledger.recordStored(aBody('k1', 'l1'));
      await ledger.recordStored(aBody('k1', 'l2', { storedAt: 3000 }));
      await ledger.recordStored(aBody('k1', 'l3', { storedAt: 4000 }));
      await ledger.recordStored(aBody('k2', 'l4'));
      const locatorsOf = async (limit: number): Promise<unknown[]> =>
        (await ledger.findHistory('k1', limit)).map(
          (upload) => 'object' in upload && upload.object.locator,
        );
      expect(await locatorsOf(10)).toEqual(['l3', 'l2', 'l1']);
      expect(await locatorsOf(2)).toEqual(['l3', 'l2']);
      expect(await ledger.findHistory('k3', 10)).toEqual([]);
    });

    it('finds packages of any account, newest first, and one by its id', async () => {
      await fill();
      await ledger.claim(
        aClaim(
          { id: 'p2', accountId: 'zeta', name: 'fan', destVersion: '2.0', files: [] },
          { locators: [] },
        ),
      );
      const idsOf = async (query: object): Promise<string[]> =>
        (await ledger.findPackages({ limit: 10, ...query })).map((found) => found.package.id);
      expect(await idsOf({})).toEqual(['p2', 'p1']);
      expect(await idsOf({ accountId: 'zeta' })).toEqual(['p2']);
      expect(await idsOf({ text: 'PUMP' })).toEqual(['p1']);
      expect(await idsOf({ text: '2.' })).toEqual(['p2']);
      const [newest] = await ledger.findPackages({ limit: 1 });
      expect(await idsOf({ beforeSequence: newest?.sequence })).toEqual(['p1']);
      expect(await ledger.findPackageById('p1')).toMatchObject({
        accountId: 'acme',
        name: 'Pump_1',
        files: [{ key: 'k1' }],
      });
      expect(await ledger.findPackageById('p3')).toBeUndefined();
    });

    it('counts the uploads of each state, of all and of one account', async () => {
      await fill();
      const none = { count: 0, bytes: 0 };
      expect(await ledger.countUploads()).toEqual({
        issued: { count: 1, bytes: 0 },
        stored: { count: 3, bytes: 11 },
        claimed: { count: 1, bytes: 3 },
        purging: none,
        purged: none,
      });
      expect(await ledger.countUploads('acme')).toMatchObject({ stored: { count: 1, bytes: 5 } });
      expect(await ledger.countUploads('nobody')).toMatchObject({ issued: none, stored: none });
    });
  });
}
