import type { Readable } from 'node:stream';

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
