import type { StoreBacklog } from '../uploads/ports.ts';
import type { LedgerTotals } from '../uploads/ledger-totals.ts';

/** Bytes of a disk. */
export interface DiskUse {
  readonly free: number;
  readonly size: number;
}

/** What is measured when the metrics are read, and what never changes. */
export interface MetricSources {
  readonly version: string;
  readonly node: string;
  readonly connectionsLimit: number;
  /** Bytes that uploads leave free. */
  readonly reserved: number;
  /** How long a stored file can be claimed, in milliseconds. */
  readonly claimTtl: number;
  /** In bytes. */
  readonly maxUpload: number;
  /** Unix milliseconds, by the clock of the gateway. */
  now(): number;
  connections(): number;
  readonly totals: LedgerTotals;
  /** @returns Unix milliseconds; undefined when all files are claimed */
  oldestStored(): Promise<number | undefined>;
  /** @returns undefined when there is no disk, or it cannot be measured */
  disk(): Promise<DiskUse | undefined>;
  /** @returns bytes; undefined when the ledger is not on a disk */
  ledgerSize(): Promise<number | undefined>;
  /** @returns undefined when the store does not know */
  backlog(): StoreBacklog | undefined;
  /** @returns milliseconds at the last comparison; undefined when the ledger has no clock of its own */
  ledgerClockAhead(): number | undefined;
  /** Whether a store in the network cannot be used. */
  isStoreFailing(): boolean;
  isReady(): Promise<boolean>;
}
