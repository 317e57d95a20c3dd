import type { UploadState } from './upload.ts';

/** Uploads of one account that have changed their state in one step of the ledger. */
export interface UploadsChanged {
  readonly kind: 'uploads';
  /** Absent: they are new. */
  readonly from: UploadState | undefined;
  /** Absent: their rows were removed. */
  readonly to: UploadState | undefined;
  /** Absent when their policy was not signed here. */
  readonly accountId: string | undefined;
  readonly count: number;
  /** Size of their bodies together, in bytes; 0 while they are `issued`. A new body counts only in `to`. */
  readonly bytes: number;
}

/** Firmware packages of one account that were created or deleted. */
export interface PackagesChanged {
  readonly kind: 'packages';
  readonly accountId: string;
  /** Negative when they were deleted. */
  readonly count: number;
}

/** A change that the ledger has committed. */
export type LedgerChange = UploadsChanged | PackagesChanged;

/** Is called for each committed change, in their order. It must be quick, and must not throw. */
export type LedgerWatcher = (change: LedgerChange) => void;
