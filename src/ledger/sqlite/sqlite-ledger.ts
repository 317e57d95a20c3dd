import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import type { LedgerChange, LedgerWatcher } from '../../uploads/ledger-changes.ts';
import type {
  FoundUploads,
  ListedPackage,
  PackageQuery,
  UploadCounts,
  UploadQuery,
} from '../../uploads/ledger-queries.ts';
import type {
  ClaimRecord,
  ClaimRecordOutcome,
  IssuedGrant,
  KeyHolder,
  ListedUpload,
  PackageChange,
  PackageFilter,
  PackageOwner,
  PurgingBody,
  RetiredPackages,
  StoredRecord,
  StoreOutcome,
  UploadLedger,
} from '../../uploads/ports.ts';
import type { LiveUpload, PurgedUpload, Upload } from '../../uploads/upload.ts';
import type { LedgerDatabase } from './database.ts';
import { countUploads } from './count-uploads.ts';
import type { Durability, GroupCommit } from './group-commit.ts';
import { OperatorQueries } from './operator-queries.ts';
import { PackageTable } from './package-table.ts';
import { UploadTable } from './upload-table.ts';
import { sizeOnDisk } from './size-on-disk.ts';
import { checkpoint, vacuumStep } from './vacuum.ts';
import { prepareWriteProbe } from './write-probe.ts';

/**
 * The ledger in SQLite. better-sqlite3 is synchronous, but the methods are not: another database can replace it, and
 * writes that arrive together share a commit.
 */
export class SqliteLedger implements UploadLedger {
  readonly #database: LedgerDatabase;
  readonly #commits: GroupCommit;
  readonly #uploads: UploadTable;
  readonly #packages: PackageTable;
  readonly #queries: OperatorQueries;
  readonly #probe: () => void;
  readonly #watchers = new Set<LedgerWatcher>();
  readonly #counts = new Set<Promise<void>>();
  #isClosing = false;

  constructor(database: LedgerDatabase) {
    this.#database = database;
    this.#commits = database.commits;
    this.#uploads = new UploadTable(database.database);
    this.#packages = new PackageTable(database.database);
    this.#queries = new OperatorQueries(database.database);
    this.#probe = prepareWriteProbe(database.database);
  }

  /** Runs a step that changes rows. @param step - adds what it changes to its argument */
  #change<T>(durability: Durability, step: (changes: LedgerChange[]) => T): Promise<T> {
    const changes: LedgerChange[] = [];
    return this.#commits.run(
      durability,
      () => runAnew(changes, step),
      () => {
        this.#report(changes);
      },
    );
  }

  /** Does the same for a step of the purge. */
  #changeInPurge<T>(durability: Durability, step: (changes: LedgerChange[]) => T): Promise<T> {
    const changes: LedgerChange[] = [];
    return this.#database.runPurge(
      durability,
      () => runAnew(changes, step),
      () => {
        this.#report(changes);
      },
    );
  }

  #report(changes: readonly LedgerChange[]): void {
    for (const watcher of this.#watchers) for (const change of changes) watcher(change);
  }

  async watch(watcher: LedgerWatcher): Promise<() => void> {
    const stop = (): void => {
      this.#watchers.delete(watcher);
    };
    // Nothing can be committed before the count has its snapshot. What is committed while it goes on is added as well.
    this.#watchers.add(watcher);
    for (const change of this.#packages.countAll()) watcher({ kind: 'packages', ...change });
    const counting = countUploads(this.#database.database, watcher, () => this.#isClosing);
    this.#counts.add(counting);
    try {
      await counting;
      return stop;
    } catch (error) {
      stop();
      throw error;
    } finally {
      this.#counts.delete(counting);
    }
  }

  onCommit(listener: (milliseconds: number) => void): void {
    this.#commits.onCommit(listener);
  }

  async size(): Promise<number | undefined> {
    return sizeOnDisk(this.#database.database);
  }

  async requireWritable(): Promise<void> {
    this.#database.space.requireRoom();
    return this.#commits.run('relaxed', this.#probe);
  }

  async recordIssued(grant: IssuedGrant): Promise<void> {
    this.#database.space.admitRow();
    // A grant need not survive a power cut: the signed policy is enough to upload.
    return this.#change('relaxed', (changes) => {
      this.#uploads.insertIssued(grant, changes);
    });
  }

  async recordStored(record: StoredRecord): Promise<StoreOutcome> {
    this.#database.space.admitRow();
    return this.#change('durable', (changes) => this.#uploads.store(record, changes));
  }

  recordSha256(locator: string, sha256: string): Promise<void> {
    return this.#commits.run('relaxed', () => {
      this.#uploads.addSha256(locator, sha256);
    });
  }

  claim({
    package: wanted,
    locators,
    storedAfter,
    maxPackages,
    requestId,
  }: ClaimRecord): Promise<ClaimRecordOutcome> {
    return this.#change('durable', (changes) => {
      if (this.#packages.findByName(wanted.accountId, wanted.name)) return { kind: 'nameTaken' };
      if (this.#packages.isVersionTaken(wanted)) return { kind: 'versionTaken' };
      if (this.#packages.count(wanted.accountId, wanted.instanceId) >= maxPackages) {
        return { kind: 'full' };
      }
      const lost = locators.findIndex(
        (locator) => !this.#uploads.isClaimable(locator, storedAfter),
      );
      if (lost >= 0) return { kind: 'notClaimable', file: lost };
      this.#packages.insert(wanted);
      changes.push({ kind: 'packages', accountId: wanted.accountId, count: 1 });
      const cause = { at: wanted.createdAt, requestId: requestId ?? null };
      for (const locator of locators) this.#uploads.claim(locator, wanted.id, cause, changes);
      return { kind: 'claimed' };
    });
  }

  async findHolder(key: string): Promise<KeyHolder | undefined> {
    return Promise.resolve(this.#uploads.findHolder(key));
  }

  async findUpload(key: string): Promise<LiveUpload | undefined> {
    return Promise.resolve(this.#uploads.findLive(key));
  }

  async findPurged(key: string): Promise<PurgedUpload | undefined> {
    return Promise.resolve(this.#uploads.findPurged(key));
  }

  async listUploads(afterSequence: number, limit: number): Promise<ListedUpload[]> {
    return Promise.resolve(this.#uploads.list(afterSequence, limit));
  }

  async hasBody(locator: string): Promise<boolean> {
    return Promise.resolve(this.#uploads.hasBody(locator));
  }

  deleteUpload(
    key: string,
    locator: string,
    at: number,
    requestId: string | null = null,
  ): Promise<boolean> {
    return this.#change('durable', (changes) =>
      this.#uploads.deleteStored(key, locator, { at, requestId }, changes),
    );
  }

  async oldestStored(): Promise<number | undefined> {
    return Promise.resolve(this.#uploads.oldestStored());
  }

  async findPackage(accountId: string, packageId: string): Promise<FirmwarePackage | undefined> {
    return Promise.resolve(this.#packages.find(accountId, packageId));
  }

  async findPackageByName(accountId: string, name: string): Promise<FirmwarePackage | undefined> {
    return Promise.resolve(this.#packages.findByName(accountId, name));
  }

  async packageOwners(): Promise<PackageOwner[]> {
    return Promise.resolve(this.#packages.owners());
  }

  async listPackages(
    filter: PackageFilter,
  ): Promise<{ total: number; packages: FirmwarePackage[] }> {
    return Promise.resolve(this.#packages.list(filter));
  }

  modifyPackage(
    accountId: string,
    packageId: string,
    change: PackageChange,
  ): Promise<'modified' | 'notFound' | 'nameTaken'> {
    return this.#commits.run('durable', () => {
      if (!this.#packages.find(accountId, packageId)) return 'notFound';
      const namesake = change.name && this.#packages.findByName(accountId, change.name);
      if (namesake && namesake.id !== packageId) return 'nameTaken';
      this.#packages.modify(packageId, change);
      return 'modified';
    });
  }

  deletePackage(
    accountId: string,
    packageId: string,
    at: number,
    requestId: string | null = null,
  ): Promise<boolean> {
    return this.#change('durable', (changes) => {
      if (!this.#packages.delete(accountId, packageId)) return false;
      changes.push({ kind: 'packages', accountId, count: -1 });
      this.#uploads.deleteClaimed(packageId, { at, requestId }, changes);
      return true;
    });
  }

  findUploads(query: UploadQuery): Promise<FoundUploads> {
    return this.#queries.findUploads(query);
  }

  async findHistory(key: string, limit: number): Promise<Upload[]> {
    return Promise.resolve(this.#queries.findHistory(key, limit));
  }

  async findPackages(query: PackageQuery): Promise<ListedPackage[]> {
    return Promise.resolve(this.#queries.findPackages(query));
  }

  async findPackageById(packageId: string): Promise<FirmwarePackage | undefined> {
    return Promise.resolve(this.#queries.findPackageById(packageId));
  }

  countUploads(accountId?: string): Promise<UploadCounts> {
    return this.#queries.countUploads(accountId);
  }

  expireStored(storedBefore: number, at: number, limit: number): Promise<PurgingBody[]> {
    return this.#changeInPurge('durable', (changes) =>
      this.#uploads.expire(storedBefore, at, limit, changes),
    );
  }

  retirePackages(createdBefore: number, at: number, limit: number): Promise<RetiredPackages> {
    return this.#changeInPurge('durable', (changes) => {
      const packages = this.#packages.deleteOld(createdBefore, limit);
      for (const { accountId } of packages)
        changes.push({ kind: 'packages', accountId, count: -1 });
      return {
        packages,
        bodies: packages.flatMap(({ id }) => this.#uploads.retire(id, at, changes)),
      };
    });
  }

  async listPurging(afterSequence: number, limit: number): Promise<PurgingBody[]> {
    return Promise.resolve(this.#uploads.listPurging(afterSequence, limit));
  }

  confirmPurged(sequences: readonly number[], at: number): Promise<number[]> {
    // After a power cut the row may still be `purging`; the next purge confirms it again.
    return this.#changeInPurge('relaxed', (changes) =>
      this.#uploads.confirmPurged(sequences, at, changes),
    );
  }

  pruneIssued(expiredBefore: number, except: readonly string[], limit: number): Promise<number> {
    return this.#changeInPurge('relaxed', (changes) =>
      this.#uploads.pruneIssued(expiredBefore, except, limit, changes),
    );
  }

  pruneTombstones(purgedBefore: number, limit: number): Promise<number> {
    return this.#changeInPurge('relaxed', (changes) =>
      this.#uploads.pruneTombstones(purgedBefore, limit, changes),
    );
  }

  async reclaimSpace(): Promise<boolean> {
    const { database, space } = this.#database;
    const outcome = await this.#database.runPurge('relaxed', () => vacuumStep(database));
    if (outcome === 'more') return true;
    if (outcome === 'last') checkpoint(database);
    space.takeReserve();
    return false;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    // Else SQLite could not remove its log.
    await Promise.allSettled(this.#counts);
    await this.#database.close();
  }
}

/** Runs a step. It may be run again, when another step of its transaction has failed. */
function runAnew<T>(changes: LedgerChange[], step: (changes: LedgerChange[]) => T): T {
  changes.length = 0;
  return step(changes);
}
