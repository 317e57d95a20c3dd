import type { StoredBody } from '../ports.ts';

/** An entry in the folders of bodies. `locator` is undefined if it cannot be a body: a folder, a link, another name. */
export interface FoundFile {
  /** Relative to the data folder. */
  readonly path: string;
  readonly locator: string | undefined;
  /** In bytes. */
  readonly size: number;
  /** Lower-case hexadecimal, as the store remembers it; absent where it does not. */
  readonly md5?: string;
  /** By the clock of the store, in Unix milliseconds. */
  readonly writtenAt: number;
}

/** Counts, compares and copies the bodies of a store that another process may be using. */
export interface BodyInventory {
  /** Whether `listFiles` lists by locator, as `UploadLedger.listBodies` does. */
  readonly isSorted: boolean;
  /** Every entry in the folders of durable bodies. */
  listFiles(): AsyncIterable<FoundFile>;
  /** Whether a body may still be coming in: it is not committed yet. */
  isUncommitted(locator: string): Promise<boolean>;
  countUncommitted(): Promise<number>;
  countJournals(): Promise<number>;
  /** @returns the locators of the bodies in the journals: their own files may not be durable yet */
  listJournaled(): Promise<ReadonlySet<string>>;
  /** @returns the size in bytes, or undefined when there is no such file, or it cannot be a body */
  stat(locator: string): Promise<{ readonly size: number } | undefined>;
  /** Reads a body and computes its digests. @returns undefined when there is no such body */
  measure(locator: string): Promise<StoredBody | undefined>;
  /**
   * Moves an entry to `lost/` without replacing anything there.
   * @returns its new path, relative to the data folder
   */
  setAside(path: string): Promise<string>;
  /** Copies a body to another data folder. @returns false when there is no such body */
  copyTo(dataDir: string, locator: string): Promise<boolean>;
  /** Removes all files except the wanted bodies, and makes the names of those durable. */
  keepOnly(isWanted: (locator: string) => Promise<boolean>): Promise<void>;
  close(): Promise<void>;
}

/** Operations of an operator on a ledger. */
export interface LedgerMaintenance {
  /** @returns one line for each damage or contradiction in the ledger itself */
  findDamage(): Promise<string[]>;
  /** Writes a consistent copy into another data folder; other processes may write to the ledger at the same time. */
  copyTo(dataDir: string): Promise<void>;
  /**
   * Rewrites a ledger of an older version so that it returns space to the disk. No other process may use it.
   * @returns `full` when there is no room for the temporary copy; the ledger is unchanged then
   */
  compact(): Promise<'done' | 'unneeded' | 'full'>;
}
