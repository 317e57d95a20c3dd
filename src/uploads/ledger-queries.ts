import type { FirmwarePackage } from './firmware-package.ts';
import type { Upload, UploadState } from './upload.ts';

/** An upload with its position in the ledger; a later upload has a higher one. */
export interface ListedUpload {
  readonly sequence: number;
  readonly upload: Upload;
}

/** Uploads that were found. */
export interface FoundUploads {
  readonly uploads: readonly ListedUpload[];
  /**
   * Present when the ledger has looked at enough for one query, but not at all: `beforeSequence` of the query that goes on.
   * There may be fewer uploads than `limit` then, also none.
   */
  readonly searchedTo?: number;
}

/** A firmware package with its position in the ledger; a later package has a higher one. */
export interface ListedPackage {
  readonly sequence: number;
  readonly package: FirmwarePackage;
}

/** `largest` and `oldest`: only uploads that hold bytes, that is, in the state `stored` or `claimed`. */
export type UploadOrder = 'newest' | 'largest' | 'oldest';

/** Which uploads to find. An absent member allows all. Times are Unix milliseconds. */
export interface UploadQuery {
  /** The account that the policy was signed for. */
  readonly accountId?: string;
  readonly state?: UploadState;
  /**
   * Part of the object key, of the address of the peer, or of the name of the firmware package that has claimed it; or the
   * beginning of its MD5 or SHA-256, of at least 6 hexadecimal digits. ASCII letters match in any case.
   */
  readonly text?: string;
  /** Stored at this time or earlier; of uploads without a body, issued. */
  readonly changedBefore?: number;
  /** In the state `stored`, and stored at this time or earlier. */
  readonly storedBefore?: number;
  /** Absent: newest first. */
  readonly order?: UploadOrder;
  /**
   * Only uploads after the one with this sequence: the last one of the page before. In the order `newest` they are those
   * with a lower sequence, and it need not exist; in another order there are none when it no longer exists.
   */
  readonly beforeSequence?: number;
  readonly limit: number;
}

/** Which firmware packages to find. An absent member allows all. */
export interface PackageQuery {
  readonly accountId?: string;
  /** Part of the name or of the version. */
  readonly text?: string;
  /** Only packages with a lower sequence: the last one of the page before. */
  readonly beforeSequence?: number;
  readonly limit: number;
}

/** Number and size of the uploads in one state. */
export interface StateCount {
  readonly count: number;
  /** Size of their bodies together, in bytes. */
  readonly bytes: number;
}

/** The uploads of each state; a state without uploads has zeros. */
export type UploadCounts = Readonly<Record<UploadState, StateCount>>;

/**
 * What an operator asks a ledger. A query that reads much of a large ledger does so in short steps, between which
 * others are served, so its answer may mix states of different moments.
 */
export interface LedgerQueries {
  /** @returns the first matching uploads in their order */
  findUploads(query: UploadQuery): Promise<FoundUploads>;
  /** @returns up to `limit` uploads of a key, newest first: the one that holds it, and those that held it before */
  findHistory(key: string, limit: number): Promise<Upload[]>;
  /** @returns the newest matching packages, newest first */
  findPackages(query: PackageQuery): Promise<ListedPackage[]>;
  /** @returns the package with this id, of any account */
  findPackageById(packageId: string): Promise<FirmwarePackage | undefined>;
  /**
   * Counts uploads by their state.
   * @param accountId - absent: those of all accounts, and of none
   */
  countUploads(accountId?: string): Promise<UploadCounts>;
}
