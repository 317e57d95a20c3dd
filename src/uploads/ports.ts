/** What uploads need of the outside, each behind an interface that a test or another backend can provide. */
import type { Readable } from 'node:stream';
import type { FirmwarePackage, PackageStatus } from './firmware-package.ts';
import type { Issue, LiveUpload, PurgedUpload, StoredObject, Upload } from './upload.ts';

/** A body that is durable, with what was measured while it was written. */
export interface StoredBody {
  /** In bytes. */
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly md5: string;
  /** CRC-64/XZ, unsigned decimal. */
  readonly crc64: string;
  /** Lower-case hexadecimal; only when it cost nothing to know at once. */
  readonly sha256?: string;
}

/** A range of bytes; both ends are included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The bytes of a body on their way out. */
export interface Body extends Readable {
  /** Takes back a chunk that nobody looks at any more, to use its memory again. */
  recycle?(chunk: Uint8Array): void;
}

/**
 * Keeps bodies, and knows no policies, keys or HTTP. A body is named by its locator alone.
 *
 * A body comes in by `put`, after which it is durable and *uncommitted*: the store still remembers it in its
 * staging area, because nobody has recorded it yet. `commit` forgets that, `discard` takes the body back.
 */
export interface ObjectStore {
  /**
   * Writes a body. All or nothing: when it resolves the bytes are durable and readable, when it rejects
   * nothing is left of them. An error thrown by `bytes` is rethrown as it is.
   * @param locator - never used before
   * @param announcedSize - how many bytes to make room for, as far as that is known
   * @throws an error with the code `ENOSPC` when there is not enough room, before `bytes` is read if that is known
   */
  put(
    locator: string,
    bytes: AsyncIterable<Uint8Array>,
    announcedSize?: number,
  ): Promise<StoredBody>;
  /** Ends the uncommitted time of a body that is on record. Idempotent. */
  commit(locator: string): Promise<void>;
  /** Removes whatever `put` has left of a body that is not on record. Idempotent. */
  discard(locator: string): Promise<void>;
  /** Leaves a body to whoever asks for the uncommitted ones: nobody knows yet whether it is on record. */
  release(locator: string): void;
  /**
   * @returns locators that a crash or a failure left uncommitted; none that this process is still working on. A crash
   * may bring back bodies that were committed, or deleted, shortly before.
   */
  uncommitted(): Promise<string[]>;
  /**
   * Computes a digest of a durable body; calls for the same body share the work.
   * @returns lower-case hexadecimal, or undefined when there is no such body
   */
  digest(locator: string, algorithm: 'sha256'): Promise<string | undefined>;
  /**
   * Opens a body for reading. Bytes that are deleted meanwhile are still delivered whole.
   * @returns undefined when there is no such body
   */
  open(locator: string, range?: ByteRange): Promise<Body | undefined>;
  /** @returns the size in bytes, or undefined when there is no such body. */
  stat(locator: string): Promise<{ readonly size: number } | undefined>;
  /** Deletes a body. A missing one is no error. */
  delete(locator: string): Promise<void>;
  /** What the start has found beside the uncommitted bodies; absent when there is nothing that could be found. */
  readonly recovery?: StoreRecovery;
  /** Ends background work. Nothing else may be called afterwards. */
  close(): Promise<void>;
}

/**
 * What a store knows of the time before a crash. It is there to tell a body that the ledger has lost, and that may be
 * the last copy of an upload, from one that nobody was told of.
 */
export interface StoreRecovery {
  /** What the crash has left was damaged. */
  readonly foundDamage: boolean;
  /** @returns whether an uncommitted body is known to have been committed before the crash, and not to have been deleted */
  wasCommitted(locator: string): boolean;
  /** Takes a body out of the store, and keeps its bytes. @returns false when it is not whole; then it stays */
  setAside(locator: string): Promise<boolean>;
  /** Forgets all this: every body that was uncommitted at the start was dealt with. Idempotent. */
  end(): Promise<void>;
}

/** A policy that was signed for a key. */
export interface IssuedGrant extends Issue {
  readonly key: string;
}

/** A durable body that is to become the upload of a key. */
export interface StoredRecord {
  readonly key: string;
  readonly object: StoredObject;
  /** Refuse when the key already holds a body (`x-oss-forbid-overwrite`). */
  readonly forbidOverwrite: boolean;
}

/** `immutable`: the key's upload is claimed. `exists`: it is stored and may not be overwritten. */
export type StoreOutcome = 'stored' | 'immutable' | 'exists';

/** A firmware package that wants to claim its files. */
export interface ClaimRecord {
  readonly package: FirmwarePackage;
  /** The bodies that were compared with the caller's digests, in the order of the package's files. */
  readonly locators: readonly string[];
  /** Bodies that were stored at this time or before have missed their claim deadline. Unix milliseconds. */
  readonly storedAfter: number;
  /** How many packages an account may have in one instance. */
  readonly maxPackages: number;
}

/** `notClaimable` names the first file (by its place) that is no longer stored under the expected locator. */
export type ClaimRecordOutcome =
  | { readonly kind: 'claimed' | 'nameTaken' | 'versionTaken' | 'full' }
  | { readonly kind: 'notClaimable'; readonly file: number };

/** Which packages to list, and which page of them. */
export interface PackageFilter {
  readonly accountId: string;
  /** Absent: packages of any instance, and of none. */
  readonly instanceId?: string;
  readonly productKey?: string;
  readonly destVersion?: string;
  readonly offset: number;
  readonly limit: number;
}

/** An account that has firmware packages, whether or not it is configured. */
export interface PackageOwner {
  readonly accountId: string;
  /** How many it has. */
  readonly packages: number;
}

/** What may be changed of a package. An absent member stays as it is. */
export interface PackageChange {
  readonly name?: string;
  readonly description?: string;
  readonly udi?: string;
  readonly status?: PackageStatus;
  readonly verifyProgress?: number;
  /** Unix milliseconds. */
  readonly modifiedAt: number;
}

/** A body on its way out. `sequence` grows; use the last one to ask for more. */
export interface PurgingBody {
  readonly sequence: number;
  readonly key: string;
  readonly locator: string;
  readonly size: number;
}

/** An upload with its place in the ledger. `sequence` grows; use the last one to ask for more. */
export interface ListedUpload {
  readonly sequence: number;
  readonly upload: Upload;
}

/**
 * Remembers every upload and every firmware package. Each method is one atomic step; where two steps race,
 * exactly one of them has the effect it reports. Times are Unix milliseconds and come from the caller.
 *
 * Whatever a method has resolved for survives a crash of the process. `recordStored`, `claim`, `deletePackage`
 * and `deleteUpload` also survive a power cut.
 */
export interface UploadLedger {
  /** `issued`: notes a signed policy. The key must be new. */
  recordIssued(grant: IssuedGrant): Promise<void>;
  /**
   * `issued` or nothing -> `stored`. A `stored` upload is replaced: the old body goes to `purging`.
   * A `claimed` one is left alone.
   */
  recordStored(record: StoredRecord): Promise<StoreOutcome>;
  /** Adds the SHA-256 of a body that is already on record. */
  recordSha256(locator: string, sha256: string): Promise<void>;
  /** `stored` -> `claimed` for all files and a new package, or nothing at all. The name is tested first. */
  claim(claim: ClaimRecord): Promise<ClaimRecordOutcome>;
  /** @returns the upload that holds the key. */
  findUpload(key: string): Promise<LiveUpload | undefined>;
  /** @returns the newest body of the key that is purging or purged. */
  findPurged(key: string): Promise<PurgedUpload | undefined>;
  /** @returns up to `limit` uploads in any state, oldest first, after a sequence (0 for the first). */
  listUploads(afterSequence: number, limit: number): Promise<ListedUpload[]>;
  /** @returns whether any upload, in whatever state but `purged`, has this body. */
  hasBody(locator: string): Promise<boolean>;
  /** `stored` -> `purging`, reason `deleted`. @returns false when the key held no stored upload with this locator. */
  deleteUpload(key: string, locator: string, at: number): Promise<boolean>;

  /** @returns the package with an id, if it is the account's */
  findPackage(accountId: string, packageId: string): Promise<FirmwarePackage | undefined>;
  /** @returns the account's package of a name */
  findPackageByName(accountId: string, name: string): Promise<FirmwarePackage | undefined>;
  /** @returns every account that has packages, the one with the oldest package first */
  packageOwners(): Promise<PackageOwner[]>;
  /** Newest first. `total` counts all that match, whatever the page. */
  listPackages(filter: PackageFilter): Promise<{ total: number; packages: FirmwarePackage[] }>;
  /** Changes what the change has. */
  modifyPackage(
    accountId: string,
    packageId: string,
    change: PackageChange,
  ): Promise<'modified' | 'notFound' | 'nameTaken'>;
  /** Removes a package; its uploads go `claimed` -> `purging`. @returns false when there is none. */
  deletePackage(accountId: string, packageId: string, at: number): Promise<boolean>;

  /** `stored` -> `purging` for up to `limit` uploads that were stored at a time or before. @returns their bodies. */
  expireStored(storedBefore: number, at: number, limit: number): Promise<PurgingBody[]>;
  /** @returns up to `limit` bodies in `purging`, after a sequence (0 for the first). */
  listPurging(afterSequence: number, limit: number): Promise<PurgingBody[]>;
  /**
   * `purging` -> `purged`, once the bytes are gone; the headers are forgotten.
   * @returns the sequences that this call has confirmed, and no other before
   */
  confirmPurged(sequences: readonly number[], at: number): Promise<number[]>;
  /** Forgets up to `limit` `issued` uploads whose policy expired before a time, except these keys. @returns how many. */
  pruneIssued(expiredBefore: number, except: readonly string[], limit: number): Promise<number>;
  /** Forgets up to `limit` tombstones purged before a time. @returns how many. */
  pruneTombstones(purgedBefore: number, limit: number): Promise<number>;
  /**
   * Gives room that forgotten rows have left back to the disk, in one short step.
   * @returns whether there is more to give back
   */
  reclaimSpace(): Promise<boolean>;
  /** Writes what is still to be written. Nothing else may be called afterwards. */
  close(): Promise<void>;
}

/** Is called when something has happened. What it throws is logged, and fails nothing. */
export interface Observer {
  /** A body is stored under a key. */
  stored?(key: string, object: StoredObject): void;
  /** A firmware package has claimed its files. */
  claimed?(firmwarePackage: FirmwarePackage): void;
  /** A body is gone. */
  purged?(body: PurgingBody): void;
}
