import type { LedgerChange, LedgerWatcher } from './ledger-changes.ts';
import type { UploadLedger } from './ports.ts';
import type { UploadState } from './upload.ts';

/** Number and size of the uploads in a state. */
interface StateTotal {
  count: number;
  /** Size of their bodies together, in bytes. */
  bytes: number;
}

/** What limits are compared with: uploads that are issued, stored or claimed, and the bytes of their files. */
export interface Used {
  readonly uploads: number;
  readonly bytes: number;
}

/** The uploads of each state, and the packages: of one account, or of all. */
export class Totals {
  readonly #uploads: Readonly<Record<UploadState, StateTotal>> = {
    issued: { count: 0, bytes: 0 },
    stored: { count: 0, bytes: 0 },
    claimed: { count: 0, bytes: 0 },
    purging: { count: 0, bytes: 0 },
    purged: { count: 0, bytes: 0 },
  };
  #packages = 0;

  add(change: LedgerChange): void {
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
  }

  /** Forgets everything that was counted. */
  protected clear(): void {
    for (const total of Object.values(this.#uploads)) Object.assign(total, { count: 0, bytes: 0 });
    this.#packages = 0;
  }

  get uploads(): Readonly<Record<UploadState, Readonly<StateTotal>>> {
    return this.#uploads;
  }

  get packages(): number {
    return this.#packages;
  }

  get used(): Used {
    const { claimed, issued, stored } = this.#uploads;
    return {
      uploads: issued.count + stored.count + claimed.count,
      bytes: stored.bytes + claimed.bytes,
    };
  }

  get isEmpty(): boolean {
    const states = Object.values(this.#uploads);
    return this.#packages === 0 && states.every(({ bytes, count }) => count === 0 && bytes === 0);
  }
}

const NONE = new Totals();

type CountedLedger = Pick<UploadLedger, 'catchUp'> & {
  watch(watcher: LedgerWatcher): Promise<unknown>;
};

/** Counts the uploads and packages of a ledger, of all and of each account, by adding up its changes. */
export class LedgerTotals extends Totals {
  readonly #accounts = new Map<string | undefined, Totals>();
  #started: Promise<unknown> | undefined;
  #catchUp: (() => Promise<void>) | undefined;

  /**
   * Begins to count, and first reads every row once. Further calls wait for the first one, or try again if it failed; and
   * for what other gateways have changed.
   */
  async start(ledger: CountedLedger): Promise<void> {
    const isFirst = this.#started === undefined;
    const started = (this.#started ??= ledger.watch((change) => {
      this.add(change);
    }));
    try {
      await started;
    } catch (error) {
      // Another caller that waited may have tried again already.
      if (this.#started === started) {
        this.#started = undefined;
        // The next attempt reads every row again.
        this.clear();
      }
      throw error;
    }
    this.#catchUp ??= ledger.catchUp?.bind(ledger);
    if (!isFirst) await this.catchUp();
  }

  /** Whether other gateways change the ledger. */
  get isShared(): boolean {
    return this.#catchUp !== undefined;
  }

  /** Counts what other gateways have changed. @returns undefined when no other gateway changes the ledger */
  catchUp(): Promise<void> | undefined {
    return this.#catchUp?.();
  }

  protected override clear(): void {
    super.clear();
    this.#accounts.clear();
  }

  override add(change: LedgerChange): void {
    super.add(change);
    const { accountId } = change;
    const totals = this.#accounts.get(accountId) ?? new Totals();
    totals.add(change);
    // Looked at only when rows were removed: the others are frequent.
    const isFewer = change.kind === 'packages' ? change.count < 0 : change.to === undefined;
    if (isFewer && totals.isEmpty) this.#accounts.delete(accountId);
    else this.#accounts.set(accountId, totals);
  }

  /** @returns what an account, or without one the whole bucket, uses of its limits */
  usedBy(accountId?: string): Used {
    return (accountId === undefined ? this : this.of(accountId)).used;
  }

  /** @param accountId - undefined: uploads whose policy was not signed here */
  of(accountId: string | undefined): Totals {
    return this.#accounts.get(accountId) ?? NONE;
  }
}
