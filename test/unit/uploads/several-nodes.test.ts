import { openLedgerDatabase } from '../../../src/ledger/sqlite/database.ts';
import { SqliteLedger } from '../../../src/ledger/sqlite/sqlite-ledger.ts';
import { ManualClock } from '../../../src/lib/clock.ts';
import { sequentialIds } from '../../../src/lib/ids.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { ActiveUploads } from '../../../src/uploads/active-uploads.ts';
import type { UploadDependencies } from '../../../src/uploads/dependencies.ts';
import type { UploadLedger } from '../../../src/uploads/ports.ts';
import { LedgerTotals } from '../../../src/uploads/ledger-totals.ts';
import { UploadLimits } from '../../../src/uploads/limits.ts';
import { purgeUnclaimed } from '../../../src/uploads/purge-bodies.ts';
import { receiveUpload } from '../../../src/uploads/receive.ts';
import { openDisk } from '../../support/disk-store.ts';
import type { OpenDisk } from '../../support/disk-store.ts';

/*
 * Two nodes share a ledger and a store: here two instances over one database and one folder.
 */

const HOUR = 3_600_000;
const ISSUE = { accountId: 'acme', issuedAt: 0, policyExpiresAt: 1 };

let disk: OpenDisk;
let clock: ManualClock;
let ids: UploadDependencies['ids'];
let one: UploadDependencies;
let other: UploadDependencies;
/** The keys that each observer was told of. */
let purged: string[];

beforeEach(async () => {
  disk = await openDisk();
  const database = openLedgerDatabase(undefined);
  clock = new ManualClock();
  ids = sequentialIds();
  purged = [];
  const node = (ledger: UploadLedger): UploadDependencies => ({
    ...{ ledger, store: disk.store, clock, ids, logger: silentLogger },
    observer: { purged: ({ key }) => purged.push(key) },
    policySigner: { accessKeyId: 'unused', sign: () => 'unused' },
    activeUploads: new ActiveUploads(),
    rules: {
      ...{ bucket: 'bucket', policyTtl: HOUR, claimTtl: HOUR, maxUploadBytes: 1000 },
      ...{ maxPackages: 10, issuedRetention: HOUR, tombstoneRetention: HOUR },
    },
  });
  one = node(new SqliteLedger(database));
  other = node(new SqliteLedger(database));
});

afterEach(async () => {
  jest.restoreAllMocks();
  await one.ledger.close();
  await disk.dispose();
});

/** A body; `before` runs when it is asked for. */
async function* bytes(before?: () => Promise<unknown>): AsyncGenerator<Uint8Array> {
  await before?.();
  yield await Promise.resolve(Buffer.from('firmware'));
}

const receive = (node: UploadDependencies, key: string, before?: () => Promise<unknown>) =>
  receiveUpload(node, { key, headers: {}, forbidOverwrite: false, bytes: bytes(before) });

/** Stores uploads and deletes them, so that their bodies wait for a purge. */
async function storeAndDelete(count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, n) => `k${String(n)}`);
  for (const key of keys) {
    const outcome = await receive(one, key);
    if (outcome.kind !== 'stored') throw new Error(outcome.kind);
    await one.ledger.deleteUpload(key, outcome.object.locator, clock.now());
  }
  return keys;
}

describe('purges of two nodes at once', () => {
  it('delete each body once, and report it once', async () => {
    const keys = await storeAndDelete(150);
    const deleting = jest.spyOn(disk.store, 'delete');
    const reports = await Promise.all([purgeUnclaimed(one), purgeUnclaimed(other)]);
    expect(deleting).toHaveBeenCalledTimes(150);
    expect(purged.sort()).toEqual(keys.sort());
    expect(reports[0].purged + reports[1].purged).toBe(150);
  });

  it('delete each body that has expired once', async () => {
    const keys = Array.from({ length: 100 }, (_, n) => `k${String(n)}`);
    for (const key of keys) await receive(one, key);
    clock.advance({ hours: 2 });
    const deleting = jest.spyOn(disk.store, 'delete');
    await Promise.all([purgeUnclaimed(one), purgeUnclaimed(other)]);
    expect(deleting).toHaveBeenCalledTimes(100);
    expect(purged.sort()).toEqual(keys.sort());
  });
});

describe('a purge', () => {
  it('tries each body once, and gives back those that it could not delete', async () => {
    await storeAndDelete(70);
    const failing = jest.spyOn(disk.store, 'delete').mockRejectedValue(new Error('EIO'));
    expect(await purgeUnclaimed(one)).toMatchObject({ purged: 0, failed: 70 });
    failing.mockRestore();
    expect(await purgeUnclaimed(other)).toMatchObject({ purged: 70, failed: 0 });
  });

  it('gets the bodies of a node that was killed after a minute', async () => {
    await storeAndDelete(3);
    const now = clock.now();
    expect(await other.ledger.takePurging(now, now + 60_000, 2)).toHaveLength(2);
    expect(await purgeUnclaimed(one)).toMatchObject({ purged: 1 });
    clock.advance({ seconds: 59 });
    expect(await purgeUnclaimed(one)).toMatchObject({ purged: 0 });
    clock.advance({ seconds: 1 });
    expect(await purgeUnclaimed(one)).toMatchObject({ purged: 2 });
  });

  it('gives back also the bodies whose deletion the ledger could not confirm', async () => {
    await storeAndDelete(3);
    const confirming = jest.spyOn(one.ledger, 'confirmPurged').mockRejectedValue(new Error('EIO'));
    await expect(purgeUnclaimed(one)).rejects.toThrow('EIO');
    confirming.mockRestore();
    // To delete them again is harmless.
    expect(await purgeUnclaimed(other)).toMatchObject({ purged: 3 });
  });
});

describe('a body that comes in', () => {
  it('is refused when other nodes have used up its room meanwhile, and leaves nothing', async () => {
    /** Bytes that other nodes have stored since the file was admitted. */
    let others = 0;
    const { ledger } = one;
    const shared: UploadLedger = new Proxy(ledger, {
      get: (target, name: keyof UploadLedger) => {
        if (name !== 'recordStored') return target[name]?.bind(target);
        return async (...[record, room]: Parameters<UploadLedger['recordStored']>) => {
          const used = { uploads: 1, bytes: others };
          const added = { uploads: 0, bytes: record.object.size };
          const excess = room?.findExcess(ISSUE.accountId, used, added);
          if (excess !== undefined) throw excess;
          return target.recordStored(record);
        };
      },
    });
    const limits = new UploadLimits(
      new LedgerTotals(),
      { watch: () => Promise.resolve(() => undefined), catchUp: () => Promise.resolve() },
      () => Promise.resolve(undefined),
    );
    await limits.use({ bucket: {}, of: () => ({ maxBytes: 20 }) });
    const limited = { ...one, ledger: shared, limits };
    await one.ledger.recordIssued({ key: 'k', ...ISSUE });
    const store = (bytesOfOthers: number): Promise<unknown> =>
      receive(limited, 'k', async () => {
        others = bytesOfOthers;
      });
    expect(await store(13)).toMatchObject({
      kind: 'limit',
      explanation: expect.stringContaining('The account acme uses 21 bytes'),
    });
    expect(await disk.store.uncommitted()).toEqual([]);
    expect(await one.ledger.findUpload('k')).toMatchObject({ state: 'issued' });
    expect(await store(12)).toMatchObject({ kind: 'stored' });
  });

  it('keeps the account of its grant, which another node has removed meanwhile', async () => {
    await one.ledger.recordIssued({ key: 'k', ...ISSUE });
    const outcome = await receive(one, 'k', () => other.ledger.pruneIssued(Infinity, 10));
    expect(outcome).toMatchObject({ kind: 'stored', from: 'issued' });
    expect(await other.ledger.findUpload('k')).toMatchObject({ state: 'stored', issue: ISSUE });
  });

  it.each(['before', 'after'] as const)(
    'fails when it was disowned, %s the purge has deleted it, and leaves nothing',
    async (order) => {
      const put = disk.store.put.bind(disk.store);
      jest.spyOn(disk.store, 'put').mockImplementation(async (locator, chunks, announced) => {
        const body = await put(locator, chunks, announced);
        await other.ledger.disown([{ locator, size: body.size }], clock.now());
        if (order === 'after') await purgeUnclaimed(other);
        return body;
      });
      await one.ledger.recordIssued({ key: 'k', ...ISSUE, policyExpiresAt: clock.now() });
      await expect(receive(one, 'k')).rejects.toThrow(/was given up/);
      expect(await one.ledger.findUpload('k')).toMatchObject({ state: 'issued' });
      await purgeUnclaimed(other);
      const left: unknown[] = [];
      for await (const file of disk.inventory.listFiles()) left.push(file);
      expect(left).toEqual([]);
    },
  );
});
