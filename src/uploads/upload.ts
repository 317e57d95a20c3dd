/**
 * The states of an upload, in the order of its life.
 *
 * `issued` (a policy was signed) -> `stored` (its bytes are durable) -> `claimed` (a firmware package
 * owns them); `stored` and `claimed` end through `purging` (the bytes are going) in `purged`, the tombstone.
 */
export type UploadState = 'issued' | 'stored' | 'claimed' | 'purging' | 'purged';

/** Why an upload was purged. */
export type PurgeReason = 'unclaimed' | 'replaced' | 'deleted';

/** What is known of the policy that an upload was issued with. Times are Unix milliseconds. */
export interface Issue {
  readonly accountId: string;
  readonly issuedAt: number;
  readonly policyExpiresAt: number;
}

/** A body that is durable in the object store, and what was measured while it came in. */
export interface StoredObject {
  /** Names the body in the object store; minted for it and never used again. */
  readonly locator: string;
  /** In bytes. */
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly md5: string;
  /** CRC-64/XZ as an unsigned decimal, the way OSS prints it. */
  readonly crc64: string;
  /** Lower-case hexadecimal; absent until it was computed. */
  readonly sha256?: string;
  /** Unix milliseconds. */
  readonly storedAt: number;
  /** Response headers to replay when the object is read, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** That an upload is on its way out, or gone. Times are Unix milliseconds. */
export interface Purge {
  readonly reason: PurgeReason;
  readonly purgingSince: number;
  /** Absent while the bytes may still be there. */
  readonly purgedAt?: number;
}

/** What every upload has. */
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
}

export interface PurgedUpload extends UploadBase {
  readonly state: 'purging' | 'purged';
  readonly object: StoredObject;
  readonly purge: Purge;
}

/** An upload that holds its key: at most one exists per key. */
export type LiveUpload = IssuedUpload | StoredUpload | ClaimedUpload;

/** An upload in any state. */
export type Upload = LiveUpload | PurgedUpload;
