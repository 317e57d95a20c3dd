import { openLedgerDatabase } from '../../../src/ledger/sqlite/database.ts';
import { SqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import type { LedgerWatcher } from '../../../src/uploads/ledger-changes.ts';
import { LedgerTotals } from '../../../src/uploads/ledger-totals.ts';
import type { Used } from '../../../src/uploads/ledger-totals.ts';
import type { FirmwarePackage } from '../../../src/uploads/firmware-package.ts';
import { allUploads } from '../../../src/uploads/list-all.ts';
import type { UploadLedger } from '../../../src/uploads/ports.ts';
import type { StoredObject } from '../../../src/uploads/upload.ts';
import { folderForSuite } from '../../support/suite.ts';

const ACCOUNTS = ['acme', 'globex', 'initech'];

/** Numbers that are the same in each run. @returns a whole number below `end` */
function createRandom(seed: number): (end: number) => number {
  let state = seed;
  return (end) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
}

function aBody(locator: string, size: number, storedAt: number): StoredObject {
  return { locator, size, md5: '', crc64: '', storedAt, headers: {} };
}

function aPackage(
  id: string,
  accountId: string,
  keys: readonly string[],
  createdAt: number,
): FirmwarePackage {
  return {
    ...{ id, accountId, name: id, destVersion: '1', differential: false, moduleName: 'default' },
    ...{ signMethod: 'MD5', status: 0, verifyProgress: 0, createdAt, modifiedAt: createdAt },
    files: keys.map((key) => ({ key, size: 1, sign: '', md5: '' })),
  };
}

/** Changes a ledger at random: everything that moves an upload from one state to another. */
class RandomOperations {
  readonly #ledger: UploadLedger;
  readonly #random: (end: number) => number;
  #next = 0;

  constructor(ledger: UploadLedger, random: (end: number) => number) {
    this.#ledger = ledger;
    this.#random = random;
  }

  async run(): Promise<void> {
    this.#next += 1;
    const now = this.#next;
    const operations = [
      () => this.#issue(`k${String(now)}`),
      () => this.#issue(`k${String(now)}`),
      // Fails when the key exists, and its transaction is rolled back.
      () => this.#issue(this.#someKey()).catch(() => undefined),
      () => this.#store(this.#someKey()),
      () => this.#store(this.#someKey()),
      () => this.#store(`put${String(now)}`),
      () => this.#claim(),
      () => this.#delete(),
      async () => {
        const accountId = ACCOUNTS[this.#random(3)] ?? '';
        await this.#ledger.deletePackage(accountId, `p${String(this.#random(now))}`, now);
      },
      () => this.#ledger.expireStored(now - 60, now, now, 3),
      () => this.#ledger.retirePackages(now - 60, now, now, 2),
      () => this.#ledger.pruneIssued(now - 40, 2),
      async () => {
        const bodies = await this.#ledger.takePurging(now, now, 5);
        await this.#ledger.confirmPurged(
          bodies.map(({ sequence }) => sequence),
          now,
        );
      },
      () => this.#ledger.pruneTombstones(now - 20, 5),
      () => this.#ledger.requireWritable(),
    ];
    await operations[this.#random(operations.length)]?.();
  }

  #issue(key: string): Promise<void> {
    const accountId = ACCOUNTS[this.#random(3)] ?? '';
    const policyExpiresAt = this.#next + 5;
    return this.#ledger.recordIssued({ key, accountId, issuedAt: this.#next, policyExpiresAt });
  }

  async #store(key: string): Promise<void> {
    this.#next += 1;
    const object = aBody(`l${String(this.#next)}`, this.#random(1000), this.#next);
    await this.#ledger.recordStored({ key, object, forbidOverwrite: this.#random(4) === 0 });
  }

  async #claim(): Promise<void> {
    const uploads = await this.#stored();
    const some = uploads.slice(0, 1 + this.#random(3));
    if (some.length === 0) return;
    this.#next += 1;
    const keys = some.map(({ key }) => key);
    const accountId = ACCOUNTS[this.#random(3)] ?? '';
    await this.#ledger.claim({
      package: aPackage(`p${String(this.#next)}`, accountId, keys, this.#next),
      locators: some.map(({ object }) => object.locator),
      storedAfter: this.#next - 60,
      maxPackages: 50,
    });
  }

  async #delete(): Promise<void> {
    const [first] = await this.#stored();
    if (first === undefined) return;
    await this.#ledger.deleteUpload(first.key, first.object.locator, this.#next);
  }

  async #stored() {
    const all = await this.#ledger.listUploads(0, 1000);
    const from = this.#random(5);
    return all.flatMap(({ upload }) => (upload.state === 'stored' ? [upload] : [])).slice(from);
  }

  #someKey(): string {
    return `k${String(this.#random(this.#next + 1))}`;
  }
}

/** Counts the rows one by one. */
async function recount(ledger: UploadLedger, accountId?: string): Promise<Used> {
  const usage = { uploads: 0, bytes: 0 };
  for await (const upload of allUploads(ledger)) {
    const isCounted = accountId === undefined || upload.issue?.accountId === accountId;
    if (!isCounted || !['issued', 'stored', 'claimed'].includes(upload.state)) continue;
    usage.uploads += 1;
    if (upload.state !== 'issued') usage.bytes += upload.object.size;
  }
  return usage;
}

it.each([1, 2])('adds up what each account uses, in random run %d', async (seed) => {
  const random = createRandom(seed);
  const ledger = new SqliteLedger(openLedgerDatabase(undefined));
  const operations = new RandomOperations(ledger, random);
  for (let step = 0; step < 100; step += 1) await operations.run();
  const totals = new LedgerTotals();
  // Begins with a ledger that has uploads already.
  await totals.start(ledger);
  let most = 0;
  for (let step = 0; step < 250; step += 1) {
    // Several together share a commit.
    await Promise.all(Array.from({ length: 1 + random(4) }, () => operations.run()));
    expect(totals.used).toEqual(await recount(ledger));
    for (const id of ACCOUNTS) expect(totals.of(id).used).toEqual(await recount(ledger, id));
    most = Math.max(most, totals.used.uploads);
  }
  expect(most).toBeGreaterThan(10);
  await ledger.close();
});

describe('a large ledger', () => {
  const folder = folderForSuite();
  let ledger: SqliteLedger;

  const RECORD = { key: 'old10999', object: aBody('large', 7, 1), forbidOverwrite: false };

  beforeAll(async () => {
    ledger = new SqliteLedger(openLedgerDatabase(folder.path));
    const grants = Array.from({ length: 11_000 }, (_, n) => ({
      ...{ key: `old${String(n)}`, accountId: ACCOUNTS[n % 3] ?? '', issuedAt: 1 },
      policyExpiresAt: n,
    }));
    await Promise.all(grants.map((grant) => ledger.recordIssued(grant)));
  });
  afterAll(() => ledger.close());

  it('is counted in pieces, while it changes', async () => {
    const totals = new LedgerTotals();
    let isCounted = false;
    const counting = totals.start(ledger).then(() => {
      isCounted = true;
    });
    // Of rows that are counted already, and of others.
    const storing = ledger.recordStored(RECORD);
    await ledger.pruneIssued(100, 1000);
    expect(isCounted).toBe(false);
    await storing;
    const operations = new RandomOperations(ledger, createRandom(3));
    for (let step = 0; step < 20; step += 1) await operations.run();
    await counting;
    expect(totals.used).toEqual(await recount(ledger));
    for (const id of ACCOUNTS) expect(totals.of(id).used).toEqual(await recount(ledger, id));
  });

  it('can be closed while it is counted', async () => {
    const other = new SqliteLedger(openLedgerDatabase(folder.path));
    const counting = new LedgerTotals().start(other);
    await other.close();
    await counting;
  });
});

it('counts each upload once when the first attempt to read the ledger has failed in the middle', async () => {
  const ledger = new SqliteLedger(openLedgerDatabase(undefined));
  const grant = { key: 'k', accountId: 'acme', issuedAt: 1, policyExpiresAt: 5 };
  await ledger.recordIssued(grant);
  await ledger.recordStored({ key: 'k', object: aBody('l', 7, 2), forbidOverwrite: false });
  const totals = new LedgerTotals();
  const broken = {
    watch: (watcher: LedgerWatcher) => {
      const stored = { kind: 'uploads', from: undefined, to: 'stored' } as const;
      watcher({ ...stored, accountId: 'acme', count: 1, bytes: 7 });
      watcher({ kind: 'packages', accountId: 'acme', count: 1 });
      return Promise.reject(new Error('the disk cannot be read'));
    },
  };
  const attempts = await Promise.allSettled([totals.start(broken), totals.start(broken)]);
  expect(attempts.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect([totals.isEmpty, totals.of('acme').isEmpty]).toEqual([true, true]);
  await totals.start(ledger);
  for (const { packages, used } of [totals, totals.of('acme')]) {
    expect({ packages, used }).toEqual({ packages: 0, used: { uploads: 1, bytes: 7 } });
  }
  await ledger.close();
});
