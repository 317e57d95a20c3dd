import { hasErrorCode } from '../../lib/errno.ts';
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
  ExpectedBody,
  FoundBody,
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
import type { GroupCommit } from './group-commit.ts';
import { OperatorQueries } from './operator-queries.ts';
import { PackageTable } from './package-table.ts';
import { PurgeTable } from './purge-table.ts';
import { UploadTable } from './upload-table.ts';
import { sizeOnDisk } from './disk-space.ts';
import { checkpoint, vacuumStep } from './vacuum.ts';
import { WatchedChanges } from './watched-changes.ts';
import { prepareWriteProbe } from './write-probe.ts';

/**
 * The ledger in SQLite. better-sqlite3 is synchronous, but the methods are not: another database can replace it, and
 * writes that arrive together share a commit.
 */
export class SqliteLedger implements UploadLedger {
  readonly #database: LedgerDatabase;
  readonly #commits: GroupCommit;
  readonly #uploads: UploadTable;
  readonly #purge: PurgeTable;
  readonly #packages: PackageTable;
  readonly #queries: OperatorQueries;
  readonly #probe: () => void;
  readonly #changes: WatchedChanges;

  constructor(database: LedgerDatabase) {
    this.#database = database;
    this.#commits = database.commits;
    this.#uploads = new UploadTable(database.database);
    this.#purge = new PurgeTable(database.database);
    this.#packages = new PackageTable(database.database);
    this.#queries = new OperatorQueries(database.database);
    this.#probe = prepareWriteProbe(database.database);
    this.#changes = new WatchedChanges(database, this.#packages);
  }

  watch(watcher: LedgerWatcher): Promise<() => void> {
    return this.#changes.watch(watcher);
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
    return this.#changes.run('relaxed', (changes) => {
      this.#uploads.insertIssued(grant, changes);
    });
  }

  async recordStored(record: StoredRecord): Promise<StoreOutcome | 'disowned'> {
    this.#database.space.admitRow();
    try {
      return await this.#changes.run('durable', (changes) => this.#uploads.store(record, changes));
    } catch (error) {
      // Locators are unique, so it costs nothing to find this out: only a disowned body has a row before its own.
      const isTaken = hasErrorCode(error, 'SQLITE_CONSTRAINT_UNIQUE');
      if (isTaken && this.#purge.isDisowned(record.object.locator)) return 'disowned';
      throw error;
    }
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
    return this.#changes.run('durable', (changes) => {
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

  async listBodies(afterLocator: string, limit: number): Promise<ExpectedBody[]> {
    return Promise.resolve(this.#uploads.listBodies(afterLocator, limit));
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
    return this.#changes.run('durable', (changes) =>
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
    return this.#changes.run('durable', (changes) => {
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

  expireStored(
    storedBefore: number,
    at: number,
    takenUntil: number,
    limit: number,
  ): Promise<PurgingBody[]> {
    let bodies: readonly PurgingBody[] = [];
    return this.#database.leases.takeOf(
      takenUntil,
      () => bodies,
      (committed) =>
        this.#changes.runPurge(
          'durable',
          (changes) => (bodies = this.#purge.expire(storedBefore, at, limit, changes)),
          committed,
        ),
    );
  }

  retirePackages(
    createdBefore: number,
    at: number,
    takenUntil: number,
    limit: number,
  ): Promise<RetiredPackages> {
    let bodies: readonly PurgingBody[] = [];
    const step = (changes: LedgerChange[]): RetiredPackages => {
      const packages = this.#packages.deleteOld(createdBefore, limit);
      for (const { accountId } of packages)
        changes.push({ kind: 'packages', accountId, count: -1 });
      bodies = packages.flatMap(({ id }) => this.#purge.retire(id, at, changes));
      return { packages, bodies };
    };
    return this.#database.leases.takeOf(
      takenUntil,
      () => bodies,
      (committed) => this.#changes.runPurge('durable', step, committed),
    );
  }

  async takePurging(at: number, takenUntil: number, limit: number): Promise<PurgingBody[]> {
    const { leases } = this.#database;
    const bodies = this.#purge.listPurging((sequence) => leases.isFree(sequence, at), limit);
    leases.take(bodies, takenUntil);
    return Promise.resolve(bodies);
  }

  async releasePurging(sequences: readonly number[]): Promise<void> {
    this.#database.leases.end(sequences);
    return Promise.resolve();
  }

  disown(bodies: readonly FoundBody[], at: number): Promise<number> {
    return this.#changes.runPurge('durable', (changes) => this.#purge.disown(bodies, at, changes));
  }

  confirmPurged(sequences: readonly number[], at: number): Promise<number[]> {
    // After a power cut the row may still be `purging`; the next purge confirms it again.
    return this.#changes.runPurge(
      'relaxed',
      (changes) => this.#purge.confirmPurged(sequences, at, changes),
      () => {
        this.#database.leases.end(sequences);
      },
    );
  }

  pruneIssued(expiredBefore: number, limit: number): Promise<number> {
    return this.#changes.runPurge('relaxed', (changes) =>
      this.#purge.pruneIssued(expiredBefore, limit, changes),
    );
  }

  pruneTombstones(purgedBefore: number, limit: number): Promise<number> {
    return this.#changes.runPurge('relaxed', (changes) =>
      this.#purge.pruneTombstones(purgedBefore, limit, changes),
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
    // Else SQLite could not remove its log.
    await this.#changes.endCounts();
    await this.#database.close();
  }
}
