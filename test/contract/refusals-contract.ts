import { RefusalJournal } from '../../src/refusals/refusal-journal.ts';
import type { RefusalStore } from '../../src/refusals/refusal-journal.ts';
import type { RefusalRecord } from '../../src/refusals/refusal-record.ts';
import { ManualClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';

const AT = Date.UTC(2024, 0, 1);

function refusal(requestId: string, facts: Partial<RefusalRecord> = {}): RefusalRecord {
  return {
    ...{ requestId, at: AT, dialect: 'oss', operation: 'PostObject', code: 'AccessDenied' },
    ...{ status: 403, reason: 'condition_failed', message: 'text', peer: '192.0.2.1' },
    ...{ repeats: 0, evidence: { fields: { key: 'a' } } },
    ...facts,
  };
}

const withDetails = (ProposedSize: string) => ({ evidence: { details: { ProposedSize } } });
const withSignature = (signature: string) => ({ evidence: { policy: 'p', signature } });

/** A new store of refusals under test. */
export interface RefusalsUnderTest {
  refusals: RefusalStore;
  dispose(): Promise<void>;
}

/** The tests that every store of refusals passes. */
export function describeRefusals(name: string, open: () => Promise<RefusalsUnderTest>): void {
  describe(`${name}: refusals`, () => {
    let subject: RefusalsUnderTest | undefined;

    async function begin() {
      subject = await open();
      const { refusals: store } = subject;
      const clock = new ManualClock();
      return { clock, store, journal: new RefusalJournal(store, silentLogger, clock) };
    }

    afterEach(async () => {
      await subject?.dispose();
      subject = undefined;
    });

    it('that are too old are removed while new ones are written, without the purge', async () => {
      const { clock, store } = await begin();
      const prune = jest.fn(() => Promise.resolve());
      const journal = new RefusalJournal(store, silentLogger, clock, prune);
      const report = async (id: string): Promise<void> => {
        journal.report(refusal(id, { key: id }));
        await journal.settled();
      };
      await report('R1');
      await report('R2');
      expect(prune).toHaveBeenCalledTimes(1);
      clock.advance({ minutes: 1 });
      await report('R3');
      expect(prune).toHaveBeenCalledTimes(2);
      expect(await store.list({ limit: 9 })).toHaveLength(3);
    });

    it('are found by the id of their request, with everything that was kept', async () => {
      const { journal, store } = await begin();
      const kept = refusal('R1', {
        account: 'one',
        key: 'a',
        evidence: { policy: 'cG9saWN5', signature: 'wrong', cors: { origin: 'https://a' } },
      });
      journal.report(kept);
      await journal.settled();
      expect(await store.find('R1')).toEqual(kept);
      expect(await store.find('R2')).toBeUndefined();
    });

    it('that are alike within a minute are one with a count, found by each id', async () => {
      const { clock, journal, store } = await begin();
      journal.report(refusal('R1'));
      journal.report(refusal('R2'));
      journal.report(refusal('R3', { evidence: { fields: { key: 'b' } } }));
      await journal.settled();
      expect(await store.find('R2')).toMatchObject({ requestId: 'R1', repeats: 1 });
      expect(await store.find('R3')).toMatchObject({ requestId: 'R3', repeats: 0 });
      clock.advance({ seconds: 60 });
      journal.report(refusal('R4'));
      await journal.settled();
      expect(await store.find('R4')).toMatchObject({ requestId: 'R4' });
    });

    it('keep the ids of the last twenty requests, and count all', async () => {
      const { clock, journal, store } = await begin();
      for (let number = 0; number <= 30; number += 1) {
        journal.report(refusal(`R${String(number)}`));
        clock.advance({ seconds: 1 });
      }
      await journal.settled();
      expect(await store.find('R0')).toMatchObject({ requestId: 'R0', repeats: 30 });
      expect(await store.find('R11')).toMatchObject({ requestId: 'R0', repeats: 30 });
      expect(await store.find('R30')).toMatchObject({ requestId: 'R0', repeats: 30 });
      expect(await store.find('R10')).toBeUndefined();
    });

    it('are only counted when there are more than twenty in a second', async () => {
      const { clock, journal, store } = await begin();
      for (let number = 0; number < 50; number += 1) {
        journal.report(refusal(`R${String(number)}`, { key: String(number) }));
      }
      await journal.settled();
      expect(await store.list({ limit: 100 })).toHaveLength(20);
      expect(journal.leftOut).toBe(30);
      clock.advance({ seconds: 1 });
      journal.report(refusal('later', { key: 'later' }));
      await journal.settled();
      expect(await store.find('later')).toBeDefined();
    });

    it('of strangers and of one account take no room from those of another account in the same second', async () => {
      const { journal, store } = await begin();
      for (const account of [undefined, 'loud']) {
        for (let number = 0; number < 50; number += 1) {
          const key = String(number);
          journal.report(refusal(`${account ?? 'none'}-${key}`, { key, account }));
        }
      }
      journal.report(refusal('R', { account: 'quiet' }));
      await journal.settled();
      expect(await store.find('R')).toMatchObject({ account: 'quiet' });
    });

    it('of strangers and of one account never push out the kept ones of another account', async () => {
      const { store } = await begin();
      const many = (account: string | undefined, count: number): RefusalRecord[] =>
        Array.from({ length: count }, (_, n) => refusal(`${account ?? 'none'}-${n}`, { account }));
      await store.add([...many('quiet', 3), ...many('loud', 30), ...many(undefined, 30)], []);
      await store.prune({ before: 0, signaturesBefore: 0, keep: 10 });
      const kept = await store.list({ limit: 100 });
      const of = (account: string | undefined) =>
        kept.flatMap(({ refusal: each }) => (each.account === account ? [each.requestId] : []));
      expect(of('quiet')).toEqual(['quiet-2', 'quiet-1', 'quiet-0']);
      expect([of('loud').length, of('loud')[0]]).toEqual([7, 'loud-29']);
      expect([of(undefined).length, of(undefined)[0]]).toEqual([10, 'none-29']);
    });

    it('that are alike take no room from others', async () => {
      const { journal, store } = await begin();
      for (let number = 0; number < 50; number += 1) journal.report(refusal(`R${String(number)}`));
      journal.report(refusal('other', { key: 'other' }));
      await journal.settled();
      expect(await store.find('R0')).toMatchObject({ repeats: 49 });
      expect(await store.find('other')).toBeDefined();
      expect(journal.leftOut).toBe(0);
    });

    it('belong to the account that is found for them, which is looked for only if they are kept', async () => {
      const { journal, store } = await begin();
      const find = jest.fn((id: string) => Promise.resolve(refusal(id, { account: 'owner' })));
      for (const id of ['R1', 'R2']) journal.report(refusal(id), () => find(id));
      journal.report(refusal('R3', { key: 'b', account: 'caller' }));
      await journal.settled();
      const ids = async (account: string): Promise<string[]> =>
        (await store.list({ account, limit: 9 })).map(({ refusal: each }) => each.requestId);
      expect(await ids('owner')).toEqual(['R1']);
      expect(await ids('caller')).toEqual(['R3']);
      expect(find).toHaveBeenCalledTimes(1);
    });

    it('that are repeated while their account is looked for are counted', async () => {
      const { journal, store } = await begin();
      let find: (found: RefusalRecord) => void = () => undefined;
      journal.report(refusal('R1'), () => new Promise((resolve) => (find = resolve)));
      const first = journal.settled();
      journal.report(refusal('R2'));
      const second = journal.settled();
      find(refusal('R1', { account: 'owner' }));
      await Promise.all([first, second]);
      expect(await store.find('R2')).toMatchObject({ account: 'owner', repeats: 1 });
    });

    it.each<[string, Partial<RefusalRecord>, Partial<RefusalRecord>]>([
      [
        'the message of a limit',
        { dialect: 'iot', message: 'try again in 5 ms' },
        { dialect: 'iot', message: 'try again in 12 ms' },
      ],
      [
        'the time of the gateway',
        { evidence: { details: { ServerTime: '1', Expires: '1' } } },
        { evidence: { details: { ServerTime: '2', Expires: '1' } } },
      ],
      ['the date', { evidence: { date: '1' } }, { evidence: { date: '2' } }],
    ])('that differ only in %s are alike', async (_what, one, other) => {
      const { journal, store } = await begin();
      journal.report(refusal('R1', one));
      journal.report(refusal('R2', other));
      await journal.settled();
      expect(await store.find('R2')).toMatchObject({ requestId: 'R1' });
    });

    it.each<[string, Partial<RefusalRecord>, Partial<RefusalRecord>]>([
      ['the operation', { operation: 'GetObject' }, { operation: 'HeadObject' }],
      ['what was measured', withDetails('1'), withDetails('2')],
      ['the signature of a form', withSignature('1'), withSignature('2')],
    ])('that differ in %s are not alike', async (_what, one, other) => {
      const { journal, store } = await begin();
      journal.report(refusal('R1', one));
      journal.report(refusal('R2', other));
      await journal.settled();
      expect(await store.find('R2')).toMatchObject({ requestId: 'R2' });
    });

    it('are listed newest first, by reason, by key and by page', async () => {
      const { journal, store } = await begin();
      journal.report(refusal('R1', { key: 'a' }));
      journal.report(refusal('R2', { key: 'b', reason: 'too_large' }));
      journal.report(refusal('R3', { key: 'b' }));
      await journal.settled();
      const ids = async (query: Parameters<typeof store.list>[0]): Promise<string[]> =>
        (await store.list(query)).map(({ refusal: each }) => each.requestId);
      expect(await ids({ limit: 2 })).toEqual(['R3', 'R2']);
      const [, second] = await store.list({ limit: 2 });
      expect(await ids({ limit: 2, before: second?.sequence ?? 0 })).toEqual(['R1']);
      expect(await ids({ limit: 9, reason: 'too_large' })).toEqual(['R2']);
      expect(await ids({ limit: 9, key: 'b' })).toEqual(['R3', 'R2']);
    });

    it('lose their signatures, and go by age and by number', async () => {
      const { journal, store } = await begin();
      for (const [index, at] of [AT, AT + 1000, AT + 2000].entries()) {
        const id = `R${String(index)}`;
        journal.report(refusal(id, { at, key: id, evidence: { signature: 'wrong' } }));
      }
      await journal.settled();
      await store.prune({ before: 0, keep: 10, signaturesBefore: AT + 1 });
      expect((await store.find('R0'))?.evidence.signature).toBeUndefined();
      expect((await store.find('R1'))?.evidence.signature).toBe('wrong');
      await store.prune({ before: AT + 1, keep: 10, signaturesBefore: 0 });
      expect(await store.find('R0')).toBeUndefined();
      await store.prune({ before: 0, keep: 1, signaturesBefore: 0 });
      expect(await store.find('R1')).toBeUndefined();
      expect(await store.find('R2')).toBeDefined();
    });
  });
}
