import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import type { LedgerWatcher } from '../../uploads/ledger-changes.ts';
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
  Room,
  StoredRecord,
  StoreOutcome,
  UploadLedger,
} from '../../uploads/ports.ts';
import type { LiveUpload, PurgedUpload, Upload } from '../../uploads/upload.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Connections } from './connections.ts';
import { OperatorQueries } from './operator-queries.ts';
import { PackageTable } from './package-table.ts';
import { statement } from './statement.ts';
import type { None } from './statement.ts';
import { UploadTable } from './upload-table.ts';
import { RELAXED } from './upload-statements.ts';
import { WatchedTotals } from './watched-totals.ts';

/** Writes the nonce of an access key that cannot exist; the purge removes it. */
const WRITE_PROBE = statement<None>(
  'write_probe',
  `INSERT INTO nonces (access_key_id, nonce, expires_at) SELECT '', '', 0 FROM ${RELAXED}
   ON CONFLICT (access_key_id, nonce) DO UPDATE SET expires_at = 0`,
);

/** The ledger in PostgreSQL, which any number of gateways share. */
export class PostgresLedger implements UploadLedger {
  readonly #connections: Connections;
  readonly #uploads: UploadTable;
  readonly #packages: PackageTable;
  readonly #queries: OperatorQueries;
  readonly #totals: WatchedTotals;

  constructor(connections: Connections, logger: Logger) {
    this.#connections = connections;
    this.#uploads = new UploadTable(connections);
    this.#packages = new PackageTable(connections);
    this.#queries = new OperatorQueries(connections);
    this.#totals = new WatchedTotals(connections, logger);
  }

  watch(watcher: LedgerWatcher): Promise<() => void> {
    return this.#totals.watch(watcher);
  }

  catchUp(): Promise<void> {
    return this.#totals.catchUp();
  }

  onCommit(listener: (milliseconds: number) => void): void {
    this.#connections.onCommit(listener);
  }

  onConnect(listener: (milliseconds: number) => void): void {
    this.#connections.onConnect(listener);
  }

  /** It is on a disk of PostgreSQL. */
  async size(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async requireWritable(): Promise<void> {
    await this.#connections.change(WRITE_PROBE, {});
  }

  recordIssued(grant: IssuedGrant, room?: Room): Promise<void> {
    return this.#uploads.insertIssued(grant, room);
  }

  recordStored(record: StoredRecord, room?: Room): Promise<StoreOutcome | 'disowned'> {
    return this.#uploads.store(record, room);
  }

  recordSha256(locator: string, sha256: string): Promise<void> {
    return this.#uploads.addSha256(locator, sha256);
  }

  claim(record: ClaimRecord): Promise<ClaimRecordOutcome> {
    return this.#packages.claim(record);
  }

  findHolder(key: string): Promise<KeyHolder | undefined> {
    return this.#uploads.findHolder(key);
  }

  findUpload(key: string): Promise<LiveUpload | undefined> {
    return this.#uploads.findLive(key);
  }

  findPurged(key: string): Promise<PurgedUpload | undefined> {
    return this.#uploads.findPurged(key);
  }

  listUploads(afterSequence: number, limit: number): Promise<ListedUpload[]> {
    return this.#uploads.list(afterSequence, limit);
  }

  listBodies(afterLocator: string, limit: number): Promise<ExpectedBody[]> {
    return this.#uploads.listBodies(afterLocator, limit);
  }

  hasBody(locator: string): Promise<boolean> {
    return this.#uploads.hasBody(locator);
  }

  oldestStored(): Promise<number | undefined> {
    return this.#uploads.oldestStored();
  }

  deleteUpload(
    key: string,
    locator: string,
    at: number,
    requestId: string | null = null,
  ): Promise<boolean> {
    return this.#uploads.deleteStored(key, locator, { at, requestId });
  }

  findPackage(accountId: string, packageId: string): Promise<FirmwarePackage | undefined> {
    return this.#packages.find(accountId, packageId);
  }

  findPackageByName(accountId: string, name: string): Promise<FirmwarePackage | undefined> {
    return this.#packages.findByName(accountId, name);
  }

  packageOwners(): Promise<PackageOwner[]> {
    return this.#packages.owners();
  }

  listPackages(filter: PackageFilter): Promise<{ total: number; packages: FirmwarePackage[] }> {
    return this.#packages.list(filter);
  }

  modifyPackage(
    accountId: string,
    packageId: string,
    change: PackageChange,
  ): Promise<'modified' | 'notFound' | 'nameTaken'> {
    return this.#packages.modify(accountId, packageId, change);
  }

  deletePackage(
    accountId: string,
    packageId: string,
    at: number,
    requestId: string | null = null,
  ): Promise<boolean> {
    return this.#packages.delete(accountId, packageId, { at, requestId });
  }

  findUploads(query: UploadQuery): Promise<FoundUploads> {
    return this.#queries.findUploads(query);
  }

  findHistory(key: string, limit: number): Promise<Upload[]> {
    return this.#queries.findHistory(key, limit);
  }

  findPackages(query: PackageQuery): Promise<ListedPackage[]> {
    return this.#queries.findPackages(query);
  }

  findPackageById(packageId: string): Promise<FirmwarePackage | undefined> {
    return this.#queries.findPackageById(packageId);
  }

  countUploads(accountId?: string): Promise<UploadCounts> {
    return this.#totals.countUploads(accountId);
  }

  expireStored(
    storedBefore: number,
    at: number,
    takenUntil: number,
    limit: number,
  ): Promise<PurgingBody[]> {
    return this.#uploads.expire(storedBefore, at, takenUntil, limit);
  }

  retirePackages(
    createdBefore: number,
    at: number,
    takenUntil: number,
    limit: number,
  ): Promise<RetiredPackages> {
    return this.#packages.retire(createdBefore, at, takenUntil, limit);
  }

  takePurging(at: number, takenUntil: number, limit: number): Promise<PurgingBody[]> {
    return this.#uploads.takePurging(at, takenUntil, limit);
  }

  releasePurging(sequences: readonly number[]): Promise<void> {
    return this.#uploads.releasePurging(sequences);
  }

  disown(bodies: readonly FoundBody[], at: number): Promise<number> {
    return this.#uploads.disown(bodies, at);
  }

  confirmPurged(sequences: readonly number[], at: number): Promise<number[]> {
    return this.#uploads.confirmPurged(sequences, at);
  }

  pruneIssued(expiredBefore: number, limit: number): Promise<number> {
    return this.#uploads.pruneIssued(expiredBefore, limit);
  }

  pruneTombstones(purgedBefore: number, limit: number): Promise<number> {
    return this.#uploads.pruneTombstones(purgedBefore, limit);
  }

  /** PostgreSQL reuses the space of removed rows by itself. */
  async reclaimSpace(): Promise<boolean> {
    await this.#totals.fold();
    return false;
  }

  async close(): Promise<void> {
    await this.#totals.close();
    await this.#connections.close();
  }
}
