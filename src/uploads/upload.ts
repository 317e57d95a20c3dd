/**
 * The states of an upload, in the order of its life.
 *
 * `issued` (a policy was signed) -> `stored` (the bytes are durable) -> `claimed` (a firmware package owns them).
 * `stored` and `claimed` then go to `purging` (the bytes are being deleted) and `purged` (the tombstone).
 */
export type UploadState = 'issued' | 'stored' | 'claimed' | 'purging' | 'purged';

/** Why an upload was purged. `retired`: its firmware package was older than the operator keeps packages. */
export type PurgeReason = 'unclaimed' | 'replaced' | 'deleted' | 'retired';

/** The account and the policy of an issued upload. Times are Unix milliseconds. */
export interface Issue {
  readonly accountId: string;
  readonly issuedAt: number;
  readonly policyExpiresAt: number;
  /** Id of the request that the policy was signed for. Absent in a row of an older version, and without a request. */
  readonly requestId?: string | undefined;
}

/** A durable body in the object store, with its size and digests. */
export interface StoredObject {
  /** Name of the body in the object store; never used twice. */
  readonly locator: string;
  /** In bytes. */
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly md5: string;
  /** CRC-64/XZ as an unsigned decimal, as OSS prints it. */
  readonly crc64: string;
  /** Lower-case hexadecimal; absent until it is computed. */
  readonly sha256?: string;
  /** Unix milliseconds. */
  readonly storedAt: number;
  /** Response headers to replay when the object is read, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Id of the request that has sent the body. Absent in a row of an older version, and without a request. */
  readonly requestId?: string | undefined;
  /** Address of the client that has sent the body. Absent in a row of an older version, and when it is not known. */
  readonly peer?: string | undefined;
}

/** When and by what an upload was claimed. */
export interface Claim {
  /** Unix milliseconds. */
  readonly claimedAt: number;
  /** Id of the request; absent without one. */
  readonly requestId?: string | undefined;
}

/** Why and when an upload was purged. Times are Unix milliseconds. */
export interface Purge {
  readonly reason: PurgeReason;
  readonly purgingSince: number;
  /** Absent while the bytes may still exist. */
  readonly purgedAt?: number;
  /** Id of the request that has replaced or deleted the upload; absent when the purge job has done it. */
  readonly requestId?: string | undefined;
}

/** The common members of all uploads. */
export interface UploadBase {
  /** The object key. */
  readonly key: string;
  /** Absent when the policy was not signed here. */
  readonly issue?: Issue;
}

export interface IssuedUpload extends UploadBase {
  readonly state: 'issued';
  readonly issue: Issue;
}

export interface StoredUpload extends UploadBase {
  readonly state: 'stored';
  readonly object: StoredObject;
}

export interface ClaimedUpload extends UploadBase {
  readonly state: 'claimed';
  readonly object: StoredObject;
  /** Id of the firmware package that owns the upload. */
  readonly packageId: string;
  /** Absent in a row of an older version. */
  readonly claim?: Claim;
}

export interface PurgedUpload extends UploadBase {
  readonly state: 'purging' | 'purged';
  readonly object: StoredObject;
  /** Absent when it was not claimed before, and in a row of an older version. */
  readonly claim?: Claim;
  readonly purge: Purge;
}

/** An upload that holds its key. Each key has one at most. */
export type LiveUpload = IssuedUpload | StoredUpload | ClaimedUpload;

/** An upload in any state. */
export type Upload = LiveUpload | PurgedUpload;
