import type { StoredBody } from '../ports.ts';

/** Anything where bodies are kept. `locator` is undefined when it can be no body: a folder, a link, another name. */
export interface FoundFile {
  /** From the data folder on. */
  readonly path: string;
  readonly locator: string | undefined;
}

/** Counts, compares and copies the bodies of a store, beside the process that works with it. */
export interface BodyInventory {
  /** Every file where durable bodies are. */
  listFiles(): AsyncIterable<FoundFile>;
  /** Whether a body may be on its way in: nobody has committed it yet. */
  isUncommitted(locator: string): Promise<boolean>;
  countUncommitted(): Promise<number>;
  countJournals(): Promise<number>;
  /** @returns the locators of the bodies in the journals: their own files may not be durable yet */
  listJournaled(): Promise<ReadonlySet<string>>;
  /** @returns the size in bytes, or undefined when there is no file of that name, or one that can be no body */
  stat(locator: string): Promise<{ readonly size: number } | undefined>;
  /** Reads a body and takes its digests. @returns undefined when there is no such body */
  measure(locator: string): Promise<StoredBody | undefined>;
  /**
   * Moves a file, or anything else, to where it is in nobody's way. It replaces nothing that is there already.
   * @returns its new path, from the data folder on
   */
  setAside(path: string): Promise<string>;
  /** Gives another data folder a body. @returns false when there is no such body */
  copyTo(dataDir: string, locator: string): Promise<boolean>;
  /** Removes every file but the wanted bodies, and makes the names of those durable. */
  keepOnly(isWanted: (locator: string) => Promise<boolean>): Promise<void>;
  close(): Promise<void>;
}

/** What an operator asks of a ledger. */
export interface LedgerMaintenance {
  /** @returns a line for each thing that contradicts another in the ledger itself */
  findDamage(): Promise<string[]>;
  /** Writes a consistent copy into another data folder, whoever else is writing meanwhile. */
  copyTo(dataDir: string): Promise<void>;
  /**
   * Makes a ledger of an older version give room back to the disk; nobody else may be working with it.
   * @returns `full` when there is no room for the copy that it takes, and nothing was done
   */
  compact(): Promise<'done' | 'unneeded' | 'full'>;
}
