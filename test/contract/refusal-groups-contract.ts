import type { RefusalRecord } from '../../src/refusals/refusal-record.ts';
import type { RefusalStore } from '../../src/refusals/refusal-journal.ts';
import type { RefusalsUnderTest } from './refusals-contract.ts';

const AT = Date.UTC(2024, 0, 1);

function refusal(requestId: string, facts: Partial<RefusalRecord> = {}): RefusalRecord {
  return {
    ...{ requestId, at: AT, dialect: 'oss', operation: 'PostObject', code: 'AccessDenied' },
    ...{ status: 403, reason: 'condition_failed', message: 'text', peer: '192.0.2.1' },
    ...{ repeats: 0, evidence: {} },
    ...facts,
  };
}

/** The tests that the groups of every store of refusals pass. */
export function describeRefusalGroups(name: string, open: () => Promise<RefusalsUnderTest>): void {
  describe(`${name}: groups of refusals`, () => {
    let subject: RefusalsUnderTest;
    let store: RefusalStore;

    beforeEach(async () => {
      subject = await open();
      store = subject.refusals;
    });

    afterEach(() => subject.dispose());

    it('count requests by reason, code and operation, with those that were refused alike', async () => {
      await store.add(
        [
          refusal('R1'),
          refusal('R2', { at: AT + 1000, peer: '192.0.2.2' }),
          refusal('R3', { code: 'EntityTooLarge', reason: 'too_large' }),
          refusal('R4', { operation: undefined }),
        ],
        [{ of: 'R1', count: 5, requestIds: [] }],
      );
      const group = { reason: 'condition_failed', code: 'AccessDenied', lastAt: AT };
      const one = { count: 1, names: ['192.0.2.1'] };
      const two = { count: 2, names: ['192.0.2.1', '192.0.2.2'] };
      const operation = 'PostObject';
      expect(await store.groups({ limit: 9 })).toEqual([
        { ...group, count: 1, requestId: 'R4', who: one },
        {
          ...{ ...group, operation, reason: 'too_large', code: 'EntityTooLarge', count: 1 },
          ...{ requestId: 'R3', who: one },
        },
        { ...group, operation, count: 7, lastAt: AT + 1000, requestId: 'R2', who: two },
      ]);
      expect(await store.groups({ limit: 1 })).toHaveLength(1);
    });

    it('name three of the accounts, and of one account its peers', async () => {
      const accounts = ['d', 'b', 'a', 'c', 'a'];
      await store.add(
        accounts.map((account, index) => refusal(`R${String(index)}`, { account })),
        [],
      );
      const [all] = await store.groups({ limit: 9 });
      expect(all?.who).toEqual({ count: 4, names: ['a', 'b', 'c'] });
      const [own] = await store.groups({ limit: 9, account: 'a' });
      expect(own).toMatchObject({ count: 2, who: { count: 1, names: ['192.0.2.1'] } });
    });

    it('leave out what is older than a time', async () => {
      await store.add([refusal('R1'), refusal('R2', { at: AT + 1000 })], []);
      expect(await store.groups({ limit: 9, since: AT + 1 })).toMatchObject([{ count: 1 }]);
      expect(await store.groups({ limit: 9, since: AT + 1001 })).toEqual([]);
    });

    it('are listed one by one by their code and operation', async () => {
      await store.add(
        [
          refusal('R1'),
          refusal('R2', { code: 'EntityTooLarge' }),
          refusal('R3', { operation: 'GetObject' }),
        ],
        [],
      );
      const ids = async (query: object): Promise<string[]> =>
        (await store.list({ limit: 9, ...query })).map(({ refusal: each }) => each.requestId);
      expect(await ids({ code: 'AccessDenied' })).toEqual(['R3', 'R1']);
      expect(await ids({ operation: 'PostObject' })).toEqual(['R2', 'R1']);
      expect(await ids({ code: 'AccessDenied', operation: 'PostObject' })).toEqual(['R1']);
    });
  });
}
