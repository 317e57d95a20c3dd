import { clearInterval, setInterval } from '../lib/timers.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { LedgerTotals, Totals } from '../uploads/ledger-totals.ts';
import type { UsageSampleShape, UsageShape } from './usage-shapes.ts';
import { iso } from './show.ts';
import type { Viewer } from './viewer.ts';

/** What is measured. */
export interface MeasuredParts {
  readonly totals: LedgerTotals;
  /** Returns what the uploads work with. */
  readonly uploads: () => Pick<UploadDependencies, 'clock' | 'ledger' | 'logger'>;
}

const MINUTE_MS = 60_000;
/** A day of samples, about 200 KiB. */
export const MAX_SAMPLES = 1440;

interface Sample {
  /** Unix milliseconds, by the clock of the gateway. */
  readonly at: number;
  readonly counts: Omit<UsageSampleShape, 'at'>;
}

/**
 * Measures how much there is, now and over time. It adds up the changes of the ledger, so a large one costs no more than
 * a small one. The samples of the last day are kept in memory, so a restart begins with none.
 */
export class UsageMeter {
  readonly #parts: MeasuredParts;
  #samples: Sample[] = [];

  constructor(parts: MeasuredParts) {
    this.#parts = parts;
  }

  /** @returns how much there is: for an operator of all accounts, else of its own */
  async now({ accountId, isOperator }: Viewer): Promise<UsageShape> {
    const totals = await this.#count();
    return showTotals(isOperator ? totals : totals.of(accountId), this.#time());
  }

  /** @returns what an account, or without one the whole bucket, uses of its limits */
  async used(accountId?: string): Promise<{ uploads: number; bytes: number }> {
    const totals = await this.#count();
    return { ...(accountId === undefined ? totals : totals.of(accountId)).used };
  }

  /** Takes a sample. Forgets those that are later: the clock of the gateway was set back, or stands still. */
  async sample(): Promise<void> {
    const totals = await this.#count();
    const at = this.#time();
    const earlier = this.#samples.filter((sample) => sample.at < at);
    this.#samples = [...earlier.slice(1 - MAX_SAMPLES), { at, counts: countsOf(totals) }];
  }

  /** @returns the samples of the last `period` milliseconds, the oldest first */
  samples(period: number): UsageSampleShape[] {
    const since = this.#time() - period;
    return this.#samples
      .filter(({ at }) => at >= since)
      .map(({ at, counts }) => ({ at: iso(at), ...counts }));
  }

  /** Takes a sample now, and then each minute. @returns a function that ends it */
  start(): () => void {
    const sample = (): void => {
      this.sample().catch((error: unknown) => {
        this.#parts.uploads().logger.error({ err: error }, 'could not measure the usage');
      });
    };
    sample();
    const timer = setInterval(sample, MINUTE_MS).unref();
    return () => {
      clearInterval(timer);
    };
  }

  async #count(): Promise<LedgerTotals> {
    const { totals, uploads } = this.#parts;
    await totals.start(uploads().ledger);
    return totals;
  }

  #time(): number {
    return this.#parts.uploads().clock.now();
  }
}

function showTotals({ packages, uploads }: Totals, now: number): UsageShape {
  const { claimed, issued, purged, purging, stored } = uploads;
  return {
    at: iso(now),
    uploads: {
      issued: { ...issued },
      stored: { ...stored },
      claimed: { ...claimed },
      purging: { ...purging },
      purged: { ...purged },
    },
    packages,
    bytes: stored.bytes + claimed.bytes + purging.bytes,
  };
}

function countsOf({ packages, uploads }: Totals): Sample['counts'] {
  const { claimed, issued, purging, stored } = uploads;
  return {
    issued: issued.count,
    stored: stored.count,
    claimed: claimed.count,
    purging: purging.count,
    packages,
    bytes: stored.bytes + claimed.bytes + purging.bytes,
  };
}
