/** The interfaces that `uploads/` needs; a test or another backend can implement them. */
import type { Readable } from 'node:stream';
import type { FirmwarePackage, PackageStatus } from './firmware-package.ts';
import type { LedgerWatcher } from './ledger-changes.ts';
import type { LedgerQueries, ListedUpload } from './ledger-queries.ts';
import type { Issue, LiveUpload, PurgedUpload, PurgeReason, StoredObject } from './upload.ts';

export type { ListedUpload } from './ledger-queries.ts';

/** The size and the digests of a durable body, measured while it was written. */
export interface StoredBody {
  /** In bytes. */
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly md5: string;
  /** CRC-64/XZ, unsigned decimal. */
  readonly crc64: string;
  /** Lower-case hexadecimal; present only when it was computed without extra work. */
  readonly sha256?: string;
}

/** A range of bytes; both ends are included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The bytes of a body that is being read. */
export interface Body extends Readable {
  /** Takes back a chunk that the reader no longer uses, to use its memory again. */
  recycle?(chunk: Uint8Array): void;
}

/** Bodies that are read at once, which takes less than a stream of them. */
export interface SmallBodies {
  /** The largest of them, in bytes. */
  readonly maxBytes: number;
  /**
   * Reads a whole body.
   * @param size - of the body, in bytes
   * @returns its bytes, another number of them when the size is wrong; undefined when there is no such body
   */
  read(locator: string, size: number): Promise<Uint8Array | undefined>;
}

/**
 * Why a try of a request to a store in the network has failed. `silent`: no answer, or the connection broke. `failing`: it
 * answers that it cannot now. `skewed`: its clock and ours differ too much. `refused`: keys, bucket or rights are wrong.
 * `full`: it takes no more bytes.
 */
export type StoreFailure = 'silent' | 'failing' | 'skewed' | 'refused' | 'full' | 'unexpected';

/** Receives each failed try of a request to a store, and whether it is tried again. */
export type FailedTryListener = (failure: StoreFailure, isTriedAgain: boolean) => void;

/**
 * Keeps bodies, each under its locator. It knows nothing of policies, keys or HTTP.
 *
 * After `put` a body is durable and *uncommitted*: the store remembers that the ledger may not have recorded it yet.
 * `commit` ends that state; `discard` removes the body.
 */
export interface ObjectStore {
  /**
   * Writes a body: the bytes are durable and readable when it resolves, and removed when it rejects. What cannot be
   * removed stays uncommitted. An error thrown by `bytes` is rethrown unchanged.
   * @param locator - never used before
   * @param announcedSize - upper bound of the size in bytes, if known
   * @throws an error with the code `ENOSPC` when there is not enough room; before reading `bytes` if possible
   */
  put(
    locator: string,
    bytes: AsyncIterable<Uint8Array>,
    announcedSize?: number,
  ): Promise<StoredBody>;
  /** Marks a body as committed: the ledger has recorded it. Idempotent. */
  commit(locator: string): Promise<void>;
  /** Removes everything that `put` has written of a body that the ledger has not recorded. Idempotent. */
  discard(locator: string): Promise<void>;
  /** Gives up a body whose ledger write may or may not have happened; the next reconcile decides. */
  release(locator: string): void;
  /**
   * @returns the locators of bodies that a crash or a failure has left uncommitted; without those that this process is
   * still working on. After a crash they may include bodies that were committed or deleted shortly before it.
   */
  uncommitted(): Promise<string[]>;
  /**
   * Computes a digest of a durable body; calls for the same body share the work.
   * @returns lower-case hexadecimal, or undefined when there is no such body
   */
  digest(locator: string, algorithm: 'sha256'): Promise<string | undefined>;
  /**
   * Opens a body for reading. An open body can be read to its end even if it is deleted.
   * @returns undefined when there is no such body
   */
  open(locator: string, range?: ByteRange): Promise<Body | undefined>;
  /** Absent in a store that streams all bodies. */
  readonly smallBodies?: SmallBodies;
  /** @returns the size in bytes, or undefined when there is no such body */
  stat(locator: string): Promise<{ readonly size: number } | undefined>;
  /** Deletes a body; does nothing when there is no such body. */
  delete(locator: string): Promise<void>;
  /** What the store found at its start; absent in a store that does not search. */
  readonly recovery?: StoreRecovery;
  /** @returns the work that uploads and claims may wait for; absent in a store that does not count it */
  backlog?(): StoreBacklog;
  /**
   * @returns when it has begun to fail, in Unix milliseconds; undefined while it answers. Absent in a store of this machine
   */
  failingSince?(): number | undefined;
  /** Calls back after each try of a request that has failed. Absent in a store of this machine. */
  onFailedTry?(listener: FailedTryListener): void;
  /**
   * Checks whether a body could be written now.
   * @throws with the code `ENOSPC` when there is too little room; another error when the store cannot be written
   */
  requireWritable?(): Promise<void>;
  /** Ends background work. No other method may be called afterwards. */
  close(): Promise<void>;
}

/** The work of a store that uploads and claims may wait for. */
export interface StoreBacklog {
  /** Full journals whose bodies are not all flushed to their own files. */
  readonly fullJournals: number;
  /** Digests that are being computed. */
  readonly digests: number;
}

/**
 * What a store knows of the time before a crash. With it, reconcile distinguishes a body that the ledger has lost,
 * which may be the last copy of an upload, from a body that was never acknowledged.
 */
export interface StoreRecovery {
  /** The files of the store were damaged. */
  readonly foundDamage: boolean;
  /** @returns whether a body is known to have been committed before the crash, and not deleted */
  wasCommitted(locator: string): boolean;
  /** Moves a body out of the store, and keeps its bytes. @returns false, and does nothing, when it is incomplete */
  setAside(locator: string): Promise<boolean>;
  /** Forgets all this, after every body that was uncommitted at the start was handled. Idempotent. */
  end(): Promise<void>;
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
  /** Records a signed policy as an `issued` upload. The key must be new. */
  recordIssued(grant: IssuedGrant): Promise<void>;
  /**
   * `issued` or nothing -> `stored`. A `stored` upload is replaced: the old body goes to `purging`, by the same request.
   * A `claimed` upload is not changed.
   * @returns `disowned`, and nothing is changed, when `disown` has given up the body
   */
  recordStored(record: StoredRecord): Promise<StoreOutcome | 'disowned'>;
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
