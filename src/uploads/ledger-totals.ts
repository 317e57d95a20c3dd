import type { LedgerChange } from './ledger-changes.ts';
import type { UploadState } from './upload.ts';

/** Number and size of the uploads in a state. */
interface StateTotal {
  count: number;
  /** Size of their bodies together, in bytes. */
  bytes: number;
}

/** The uploads of each state, and the packages, by adding up the changes of a ledger. */
export class LedgerTotals {
  readonly #uploads: Readonly<Record<UploadState, StateTotal>> = {
    issued: { count: 0, bytes: 0 },
    stored: { count: 0, bytes: 0 },
    claimed: { count: 0, bytes: 0 },
    purging: { count: 0, bytes: 0 },
    purged: { count: 0, bytes: 0 },
  };
  #packages = 0;

  /** Adds a change. Pass it to `UploadLedger.watch`, which begins with everything that there is. */
  readonly add = (change: LedgerChange): void => {
    if (change.kind === 'packages') {
      this.#packages += change.count;
      return;
    }
    const { bytes, count, from, to } = change;
    if (from !== undefined) {
      this.#uploads[from].count -= count;
      // The body of an issued upload comes with this change.
      if (from !== 'issued') this.#uploads[from].bytes -= bytes;
    }
    if (to !== undefined) {
      this.#uploads[to].count += count;
      this.#uploads[to].bytes += bytes;
    }
  };

  get uploads(): Readonly<Record<UploadState, Readonly<StateTotal>>> {
    return this.#uploads;
  }

  get packages(): number {
    return this.#packages;
  }
}
