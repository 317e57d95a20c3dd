/** The interfaces that `uploads/` needs; a test or another backend can implement them. */
import type { FirmwarePackage, PackageStatus } from './firmware-package.ts';
import type { LedgerWatcher } from './ledger-changes.ts';
import type { Used } from './ledger-totals.ts';
import type { LedgerQueries, ListedUpload } from './ledger-queries.ts';
import type { Issue, LiveUpload, PurgedUpload, PurgeReason, StoredObject } from './upload.ts';

export type { ListedUpload } from './ledger-queries.ts';
export type {
  Body,
  ByteRange,
  FailedTryListener,
  ObjectStore,
  SmallBodies,
  StoreBacklog,
  StoredBody,
  StoreFailure,
  StoreRecovery,
} from './store-port.ts';

/**
 * What the limits leave for a new row. Gateways that share a ledger may be adding rows at the same moment, so the ledger asks
 * while no other one adds a row of the same owners.
 */
export interface Room {
  /** Accounts, and undefined for the bucket; the bucket is the last one. */
  readonly owners: readonly (string | undefined)[];
  /**
   * @param used - by the owner, without the row
   * @param added - by the row; fewer bytes than none when it replaces a larger file
   * @returns why the row must not be written
   */
  findExcess(owner: string | undefined, used: Used, added: Used): Error | undefined;
}

/** A policy that was signed for a key. */
export interface IssuedGrant extends Issue {
  readonly key: string;
}

/** A durable body to record as the upload of a key. */
export interface StoredRecord {
  readonly key: string;
  readonly object: StoredObject;
  /** Refuse the body if the key already has one (`x-oss-forbid-overwrite`). */
  readonly forbidOverwrite: boolean;
  /**
   * Whose upload it becomes when nothing holds the key: the issue that the key had before the body came, because its row
   * may have been removed since. Absent: that of no account.
   */
  readonly issue?: Issue | undefined;
}

/** What a new body needs to know of the upload that holds its key. */
export interface KeyHolder {
  readonly state: LiveUpload['state'];
  /** In bytes; 0 while it has no body. */
  readonly size: number;
  /** Absent when the policy was not signed here. */
  readonly issue?: Issue | undefined;
}

/** `immutable`: the key's upload is claimed. `exists`: it is stored and must not be overwritten. */
export type StoreOutcome = 'stored' | 'immutable' | 'exists';

/** A firmware package to create, with the uploads that it claims. */
export interface ClaimRecord {
  readonly package: FirmwarePackage;
  /** The bodies whose digests were compared with the caller's, in the order of the package's files. */
  readonly locators: readonly string[];
  /** Bodies stored at this time or earlier have missed their claim deadline. Unix milliseconds. */
  readonly storedAfter: number;
  /** How many packages an account may have in one instance. */
  readonly maxPackages: number;
  /** Id of the request that claims them. */
  readonly requestId?: string | undefined;
}

/** `notClaimable`: `file` is the index of the first file that is no longer stored under the expected locator. */
export type ClaimRecordOutcome =
  | { readonly kind: 'claimed' | 'nameTaken' | 'versionTaken' | 'full' }
  | { readonly kind: 'notClaimable'; readonly file: number };

/** The packages to list, and the page. */
export interface PackageFilter {
  readonly accountId: string;
  /** Absent: packages of any instance, and of none. */
  readonly instanceId?: string;
  readonly productKey?: string;
  readonly destVersion?: string;
  readonly offset: number;
  readonly limit: number;
}

/** An account that has firmware packages; it need not be configured. */
export interface PackageOwner {
  readonly accountId: string;
  /** How many it has. */
  readonly packages: number;
}

/** A change of a package. An absent member is not changed. */
export interface PackageChange {
  readonly name?: string;
  readonly description?: string;
  readonly udi?: string;
  readonly status?: PackageStatus;
  readonly verifyProgress?: number;
  /** Unix milliseconds. */
  readonly modifiedAt: number;
}

/** A body in `purging`. `sequence` is its position in the ledger. */
export interface PurgingBody {
  readonly sequence: number;
  readonly key: string;
  readonly locator: string;
  readonly size: number;
  readonly reason: PurgeReason;
  /** Absent when the policy was not signed here. */
  readonly accountId?: string;
}

/** A body that a store has. */
export interface FoundBody {
  readonly locator: string;
  /** In bytes. */
  readonly size: number;
}

/** A body that the ledger expects in the store. `purging`: its bytes may be gone already. */
export interface ExpectedBody extends FoundBody {
  /** Digests as in {@link StoredBody}; empty texts of a body that was given up. */
  readonly md5: string;
  readonly crc64: string;
  readonly state: 'stored' | 'claimed' | 'purging';
  readonly key: string;
  readonly sequence: number;
}

/** Packages that were removed because of their age, and the bodies of their files. */
export interface RetiredPackages {
  readonly packages: readonly FirmwarePackage[];
  readonly bodies: readonly PurgingBody[];
}

/**
 * Records every upload and every firmware package. Each method is one atomic step; when two steps race, each has
 * exactly the effect that it reports. Times are Unix milliseconds and come from the caller.
 *
 * After a method has resolved, its change survives a crash of the process. Changes of `recordStored`, `claim`,
 * `deletePackage` and `deleteUpload` also survive a power cut.
 */
export interface UploadLedger extends LedgerQueries {
  /**
   * Checks whether it could write now, at little cost: it is asked for every health check.
   * @throws when `recordIssued` would fail: with the code `ENOSPC` or similar if full
   */
  requireWritable(): Promise<void>;
  /**
   * Records a signed policy as an `issued` upload. The key must be new.
   * @param room - for a ledger that several gateways share
   * @throws what the room says, and nothing is changed
   */
  recordIssued(grant: IssuedGrant, room?: Room): Promise<void>;
  /**
   * `issued` or nothing -> `stored`. A `stored` upload is replaced: the old body goes to `purging`, by the same request.
   * A `claimed` upload is not changed.
   * @param room - for a ledger that several gateways share
   * @returns `disowned`, and nothing is changed, when `disown` has given up the body
   * @throws what the room says, and nothing is changed
   */
  recordStored(record: StoredRecord, room?: Room): Promise<StoreOutcome | 'disowned'>;
  /** Adds the SHA-256 of a recorded body. */
  recordSha256(locator: string, sha256: string): Promise<void>;
  /** Adds the package, and `stored` -> `claimed` for all its files; or does nothing. The name is checked first. */
  claim(claim: ClaimRecord): Promise<ClaimRecordOutcome>;
  /** @returns what a new body needs to know of the upload that holds the key */
  findHolder(key: string): Promise<KeyHolder | undefined>;
  /** @returns the upload that holds the key */
  findUpload(key: string): Promise<LiveUpload | undefined>;
  /** @returns the newest `purging` or `purged` upload of the key */
  findPurged(key: string): Promise<PurgedUpload | undefined>;
  /** @returns up to `limit` uploads in any state, oldest first, after a sequence (0 for the first page) */
  listUploads(afterSequence: number, limit: number): Promise<ListedUpload[]>;
  /** @returns up to `limit` bodies whose bytes should exist, by locator, after one (the empty text for the first page) */
  listBodies(afterLocator: string, limit: number): Promise<ExpectedBody[]>;
  /** @returns whether an upload in any state except `purged` has this body */
  hasBody(locator: string): Promise<boolean>;
  /** @returns when the oldest `stored` upload was stored; undefined when there is none */
  oldestStored(): Promise<number | undefined>;
  /**
   * Reports everything that there is at the call, as changes from nothing, and each change that is committed after it. The
   * two may be mixed, because they only add up. Reads every row once, in pieces, and resolves after the last one.
   * @returns a function that ends it
   */
  watch(watcher: LedgerWatcher): Promise<() => void>;
  /**
   * Reports to the watchers what other gateways had changed before the call. Absent in a ledger of one gateway: a watcher
   * hears of each change before its method resolves.
   */
  catchUp?(): Promise<void>;
  /** Calls back after each commit with its time in milliseconds, including the flush if it needs one. */
  onCommit(listener: (milliseconds: number) => void): void;
  /**
   * Calls back after each wait for a connection with its time in milliseconds, also when none came. Absent in a ledger of
   * this machine.
   */
  onConnect?(listener: (milliseconds: number) => void): void;
  /** @returns the bytes that the ledger takes on the disk; undefined when it is not on a disk of this machine */
  size(): Promise<number | undefined>;
  /**
   * `stored` -> `purging`, reason `deleted`.
   * @param requestId - id of the request that deletes it
   * @returns false when the key has no `stored` upload with this locator
   */
  deleteUpload(key: string, locator: string, at: number, requestId?: string): Promise<boolean>;

  /** @returns the package with this id, if it belongs to the account */
  findPackage(accountId: string, packageId: string): Promise<FirmwarePackage | undefined>;
  /** @returns the account's package with this name */
  findPackageByName(accountId: string, name: string): Promise<FirmwarePackage | undefined>;
  /** @returns every account that has packages, sorted by its oldest package */
  packageOwners(): Promise<PackageOwner[]>;
  /** Newest first. `total` counts all matching packages, not only those of the page. */
  listPackages(filter: PackageFilter): Promise<{ total: number; packages: FirmwarePackage[] }>;
  /** Changes a package of the account. */
  modifyPackage(
    accountId: string,
    packageId: string,
    change: PackageChange,
  ): Promise<'modified' | 'notFound' | 'nameTaken'>;
  /**
   * Removes a package; its uploads go `claimed` -> `purging`.
   * @param requestId - id of the request that deletes it
   * @returns false when there is no such package
   */
  deletePackage(
    accountId: string,
    packageId: string,
    at: number,
    requestId?: string,
  ): Promise<boolean>;

  /**
   * `stored` -> `purging` for up to `limit` uploads stored at `storedBefore` or earlier.
   * @param takenUntil - `takePurging` gives their bodies to nobody before this time
   * @returns their bodies
   */
  expireStored(
    storedBefore: number,
    at: number,
    takenUntil: number,
    limit: number,
  ): Promise<PurgingBody[]>;
  /**
   * Removes up to `limit` packages created at `createdBefore` or earlier; their uploads go `claimed` -> `purging`, reason
   * `retired`.
   * @param takenUntil - as in `expireStored`
   */
  retirePackages(
    createdBefore: number,
    at: number,
    takenUntil: number,
    limit: number,
  ): Promise<RetiredPackages>;
  /**
   * Takes up to `limit` bodies in `purging`, the first ones first, that are not taken, or only until `at` or earlier. Two
   * calls, also of two processes, never take the same body for the same time.
   * @param takenUntil - this method gives them to nobody before this time, unless they are confirmed
   */
  takePurging(at: number, takenUntil: number, limit: number): Promise<PurgingBody[]>;
  /** Gives back bodies that were taken and could not be deleted, so that the next caller need not wait. */
  releasePurging(sequences: readonly number[]): Promise<void>;
  /**
   * Gives up bodies that no row has: each gets one in `purging`, reason `unclaimed`, and `recordStored` refuses it from
   * now on. So a store can be swept while a body may be on its way to its row, however long that takes.
   * @returns how many it has given up
   */
  disown(bodies: readonly FoundBody[], at: number): Promise<number>;
  /**
   * `purging` -> `purged`, after the bytes are deleted; removes the stored headers.
   * @returns the sequences that this call has changed; not those that another call changed before
   */
  confirmPurged(sequences: readonly number[], at: number): Promise<number[]>;
  /** Removes up to `limit` `issued` uploads whose policy expired before a time. @returns how many */
  pruneIssued(expiredBefore: number, limit: number): Promise<number>;
  /** Removes up to `limit` tombstones purged before a time. @returns how many */
  pruneTombstones(purgedBefore: number, limit: number): Promise<number>;
  /**
   * Returns the space of removed rows to the disk, in one short step.
   * @returns whether there is more to return
   */
  reclaimSpace(): Promise<boolean>;
  /** Finishes pending writes. No other method may be called afterwards. */
  close(): Promise<void>;
}

/** A run of the purge that has ended. `skipped`: it was due, but another run was not finished. */
export interface PurgeRun {
  readonly outcome: 'done' | 'failed' | 'skipped';
  /** How long it took; 0 when it was skipped. */
  readonly milliseconds: number;
}

/** Functions that are called after an event. Their errors are logged and have no other effect. */
export interface Observer {
  /** A policy was signed for a key. */
  issued?(grant: IssuedGrant): void;
  /** A body was stored under a key. @param issue - absent when the policy was not signed here */
  stored?(key: string, object: StoredObject, issue?: Issue): void;
  /** A body that a client has sent was stored. @param milliseconds - since its last byte was received */
  finished?(milliseconds: number): void;
  /**
   * A firmware package has claimed its files.
   * @param storedAt - when each of them was stored, in Unix milliseconds
   */
  claimed?(firmwarePackage: FirmwarePackage, storedAt: readonly number[]): void;
  /** A firmware package was changed. */
  modified?(packageId: string): void;
  /** A firmware package was deleted, or removed because of its age; the bytes of its files are deleted later. */
  packageDeleted?(firmwarePackage: FirmwarePackage): void;
  /** A stored file that no package holds was deleted; its bytes may still exist. */
  deleted?(key: string): void;
  /** A body was deleted by the purge. */
  purged?(body: PurgingBody): void;
  /** A run of the purge has ended, or was skipped. */
  purgeRan?(run: PurgeRun): void;
  /**
   * A client has dated a request that it has signed; its signature may still be wrong.
   * @param milliseconds - the difference between its date and the nearest clock: the gateway's or the machine's
   */
  dated?(milliseconds: number): void;
}
