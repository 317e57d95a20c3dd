import { AccountDirectory } from '../../../src/accounts/accounts.ts';
import type { Account } from '../../../src/accounts/accounts.ts';
import { createMemoryRecords } from '../../../src/ledger/sqlite/records.ts';
import { packageFilter, uploadFilter } from '../../../src/operator/filters.ts';
import { createQueries } from '../../../src/operator/queries.ts';
import type { Queries } from '../../../src/operator/queries.ts';
import { packageShape } from '../../../src/operator/package-shapes.ts';
import { uploadShape } from '../../../src/operator/upload-shapes.ts';
import { viewerOf } from '../../../src/operator/viewer.ts';
import type { UploadLedger } from '../../../src/uploads/ports.ts';
import { aBody, aClaim } from '../../contract/upload-ledger-contract.ts';

const HOUR = 3_600_000;
const NOW = 10 * HOUR;
const ACME = { accountId: 'acme', isOperator: false };
const ZETA = { accountId: 'zeta', isOperator: false };
const OPERATOR = { accountId: 'ops', isOperator: true };

let ledger: UploadLedger;
let queries: Queries;

async function store(key: string, accountId: string | undefined, storedAt: number): Promise<void> {
  if (accountId !== undefined) {
    await ledger.recordIssued({
      key,
      accountId,
      issuedAt: storedAt,
      policyExpiresAt: storedAt + 60_000,
    });
  }
  await ledger.recordStored(aBody(key, `body-of-${key}`, { storedAt }));
}

async function keysOf(viewer: typeof ACME, filter: object = {}): Promise<string[]> {
  const { items } = await queries.listUploads(viewer, uploadFilter.parse(filter));
  return items.map(({ key }) => key);
}

/** Of acme: ota/a1 claimed by `pump`, ota/a2 stored 58 minutes ago; of zeta: ota/z1; of no account: free.bin. */
beforeEach(async () => {
  ({ ledger } = createMemoryRecords());
  queries = createQueries({ ledger, clock: { now: () => NOW }, rules: { claimTtl: HOUR } });
  await store('ota/a1', 'acme', 2 * HOUR);
  await ledger.claim(
    aClaim(
      {
        id: 'PUMP000000',
        name: 'pump',
        files: [{ key: 'ota/a1', size: 3, sign: 'aa', md5: 'aa' }],
      },
      { locators: ['body-of-ota/a1'] },
    ),
  );
  await store('ota/a2', 'acme', NOW - 58 * 60_000);
  await store('ota/z1', 'zeta', NOW - 60_000);
  await store('free.bin', undefined, NOW - 1000);
});

afterEach(() => ledger.close());

describe('a list of uploads', () => {
  it('has a next page where the search has ended, also without any upload', async () => {
    const found = jest
      .spyOn(ledger, 'findUploads')
      .mockResolvedValue({ uploads: [], searchedTo: 36 });
    const page = await queries.listUploads(OPERATOR, uploadFilter.parse({ q: 'x' }));
    expect(page).toEqual({ items: [], next: '10' });
    found.mockRestore();
    expect(uploadFilter.parse({ after: page.next }).after).toBe(36);
  });

  it('shows an account its own uploads, and an operator all', async () => {
    expect(await keysOf(ACME)).toEqual(['ota/a2', 'ota/a1']);
    expect(await keysOf(ACME, { account: 'zeta' })).toEqual([]);
    expect(await keysOf(OPERATOR)).toEqual(['free.bin', 'ota/z1', 'ota/a2', 'ota/a1']);
    expect(await keysOf(OPERATOR, { account: 'zeta' })).toEqual(['ota/z1']);
  });

  it.each<[object, string[]]>([
    [{ state: 'claimed' }, ['ota/a1']],
    [{ q: 'PUMP' }, ['ota/a1']],
    [{ olderThan: '58m' }, ['ota/a2', 'ota/a1']],
    [{ dueWithin: '2m' }, ['ota/a2']],
    [{ dueWithin: '1m' }, []],
  ])('finds what matches %j', async (filter, keys) => {
    expect(await keysOf(OPERATOR, filter)).toEqual(keys);
  });

  it('comes in pages, of which the last one has no next', async () => {
    const first = await queries.listUploads(OPERATOR, uploadFilter.parse({ limit: '3' }));
    expect(first.items).toHaveLength(3);
    const rest = await keysOf(OPERATOR, { limit: 3, after: first.next });
    expect(rest).toEqual(['ota/a1']);
    const last = await queries.listUploads(OPERATOR, uploadFilter.parse({ limit: 4 }));
    expect(last).not.toHaveProperty('next');
  });

  it('shows states with their times, in the shape that is documented', async () => {
    const { items } = await queries.listUploads(OPERATOR, uploadFilter.parse({}));
    for (const item of items) expect(uploadShape.strict().parse(item)).toEqual(item);
    expect(items[3]).toEqual({
      key: 'ota/a1',
      state: 'claimed',
      claimedAt: '1970-01-01T00:00:03.000Z',
      accountId: 'acme',
      issuedAt: '1970-01-01T02:00:00.000Z',
      policyExpiresAt: '1970-01-01T02:01:00.000Z',
      size: 3,
      md5: '0cc175b9c0f1b6a831c399e269772661',
      crc64: '18446744073709551615',
      contentType: 'text/plain',
      storedAt: '1970-01-01T02:00:00.000Z',
      body: 'body-of-ota/a1',
      firmwareId: 'PUMP000000',
      packageName: 'pump',
      packageVersion: '1.0',
    });
    expect(items[2]).toMatchObject({ state: 'stored', claimUntil: '1970-01-01T10:02:00.000Z' });
  });

  it.each([
    [{ state: 'lost' }],
    [{ limit: 0 }],
    [{ limit: 1001 }],
    [{ after: 'A-B' }],
    [{ olderThan: 'long' }],
    [{ wat: 1 }],
  ])('refuses %j', (filter) => {
    expect(uploadFilter.safeParse(filter).success).toBe(false);
  });
});

describe('the history of a key', () => {
  it('has the upload that holds the key, its package, and what was there before', async () => {
    await ledger.recordStored(aBody('ota/z1', 'second', { storedAt: NOW }));
    const history = await queries.showUpload(ZETA, 'ota/z1');
    expect(history?.uploads).toMatchObject([
      { state: 'stored', body: 'second', claimUntil: '1970-01-01T11:00:00.000Z' },
      { state: 'purging', body: 'body-of-ota/z1', purgeReason: 'replaced' },
    ]);
  });

  it('is not there for another account', async () => {
    expect(await queries.showUpload(ZETA, 'ota/a1')).toBeUndefined();
    expect(await queries.showUpload(ACME, 'free.bin')).toBeUndefined();
    expect(await queries.showUpload(OPERATOR, 'nothing')).toBeUndefined();
    const history = await queries.showUpload(ACME, 'ota/a1');
    expect(history).toMatchObject({ key: 'ota/a1', package: { name: 'pump' } });
  });
});

describe('packages', () => {
  it('are shown to their account and to operators', async () => {
    const all = packageFilter.parse({});
    const { items } = await queries.listPackages(ACME, all);
    expect(items.map((item) => packageShape.strict().parse(item).name)).toEqual(['pump']);
    expect(await queries.listPackages(OPERATOR, all)).toEqual({ items });
    expect(await queries.listPackages(ZETA, all)).toEqual({ items: [] });
    expect(await queries.showPackage(ZETA, 'PUMP000000')).toBeUndefined();
    expect(await queries.showPackage(ACME, 'PUMP000000')).toEqual(items[0]);
  });
});

describe('a reference', () => {
  it.each([
    ['ota/a1', { kind: 'upload', key: 'ota/a1' }],
    ['ota%2Fa1', { kind: 'upload', key: 'ota/a1' }],
    ['http://h:1/ota/a1', { kind: 'upload', key: 'ota/a1' }],
    [
      'https://cdn.test/base/iotx-ota/ota/a1?Expires=1&Signature=2',
      { kind: 'upload', key: 'ota/a1' },
    ],
    ['PUMP000000', { kind: 'package', firmwareId: 'PUMP000000' }],
    ['pump', { kind: 'package', firmwareId: 'PUMP000000' }],
    ['0F87FFBB2E0A838FA174F1E5', { kind: 'request', requestId: '0F87FFBB2E0A838FA174F1E5' }],
    [
      'C847B56E-5328-41D8-AFB7-9AD40F87FFBB',
      { kind: 'request', requestId: 'C847B56E-5328-41D8-AFB7-9AD40F87FFBB' },
    ],
    ['nothing', undefined],
    ['%', undefined],
  ])('%s names %j', async (reference, expected) => {
    expect(await queries.resolve(ACME, reference)).toEqual(expected);
    expect(await queries.resolve(OPERATOR, reference)).toEqual(expected);
  });

  it('names nothing of another account', async () => {
    expect(await queries.resolve(ZETA, 'ota/a1')).toBeUndefined();
    expect(await queries.resolve(ZETA, 'pump')).toBeUndefined();
    expect(await queries.resolve(ZETA, 'PUMP000000')).toBeUndefined();
  });
});

describe('an operator', () => {
  const account = (id: string, operator?: boolean): Account => ({
    id,
    accessKeys: [{ id: `key-of-${id}`, secret: 's' }],
    operator,
  });

  it.each([
    ['the only account', [account('a')], true],
    ['one of several', [account('a'), account('b')], false],
    ['one of several that is marked', [account('a', true), account('b')], true],
    ['the only account, marked as none', [account('a', false)], false],
  ])('is, or is not, %s', (_what, accounts, isOperator) => {
    const [first = account('')] = accounts;
    expect(viewerOf(new AccountDirectory(accounts), first)).toEqual({ accountId: 'a', isOperator });
  });
});
