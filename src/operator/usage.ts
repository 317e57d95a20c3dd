import { clearInterval, setInterval } from '../lib/timers.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { LedgerTotals, Totals, Used } from '../uploads/ledger-totals.ts';
import type { Observer, PurgeRun } from '../uploads/ports.ts';
import { KEPT_MS, SAMPLE_MS } from '../uploads/usage-history.ts';
import type { UsageHistory, UsageSample } from '../uploads/usage-history.ts';
import { iso } from './show.ts';
import { EventCounter, sumEvents } from './usage-events.ts';
import { MAX_SAMPLES } from './listing.ts';
import type { UsageReportShape, UsageSampleShape, UsageShape } from './usage-shapes.ts';
import type { Viewer } from './viewer.ts';

/** What is measured, and where it is kept. */
export interface MeasuredParts {
  readonly totals: LedgerTotals;
  /** Returns what the uploads work with. */
  readonly uploads: () => Pick<UploadDependencies, 'clock' | 'ledger' | 'logger'>;
  /** Absent: no samples are kept. */
  readonly history: UsageHistory | undefined;
  /** Measures the disk of the data folder. @returns undefined when it is not known */
  readonly disk: () => Promise<{ readonly free: number } | undefined>;
  /** Bytes of the disk that uploads leave free. */
  readonly reserve: number;
}

const SECOND_MS = 1000;

/**
 * Measures how much there is, now and over time. It adds up the changes of the ledger, so a large one costs no more than
 * a small one. What happens between two samples is counted in memory, and a crash loses it.
 */
export class UsageMeter {
  readonly #parts: MeasuredParts;
  readonly #events = new EventCounter();
  #lastPurge: Pick<UsageReportShape['purge'], 'lastAt' | 'outcome'> = {};
  /** Returns in how many milliseconds the purge runs next. */
  #purgeDueIn: () => number | undefined = () => undefined;

  constructor(parts: MeasuredParts) {
    this.#parts = parts;
  }

  /** Receives the events of the gateway. */
  readonly observer: Observer = {
    purged: (body) => {
      this.#events.countPurge(body);
    },
    purgeRan: ({ outcome }: PurgeRun) => {
      if (outcome !== 'skipped') this.#lastPurge = { lastAt: iso(this.#time()), outcome };
    },
  };

  /** Counts a refused request. */
  countRefusal(): void {
    this.#events.countRefusal();
  }

  /** @returns how much there is: for an operator of all accounts, else of its own */
  async now({ accountId, isOperator }: Viewer): Promise<UsageShape> {
    const totals = await this.totals();
    return showLevels(levelsOf(isOperator ? totals : totals.of(accountId)), this.#time());
  }

  /** @returns what an account, or without one the whole bucket, uses of its limits */
  async used(accountId?: string): Promise<Used> {
    const totals = await this.totals();
    return { ...totals.usedBy(accountId) };
  }

  /** @returns how much there is of all accounts, and what there was in the last `period` milliseconds */
  async report(period: number): Promise<UsageReportShape> {
    const { disk, history, reserve } = this.#parts;
    const totals = await this.totals();
    const free = (await disk())?.free;
    const until = this.#time();
    const after = until - period;
    const samples = (await history?.list({ after, until, span: spanOf(period) })) ?? [];
    return {
      ...showLevels(levelsOf(totals), until),
      samples: samples.map(showSample),
      ...sumEvents([...samples, this.#events.events]),
      disk: { ...(free !== undefined && { free }), reserve },
      purge: { ...this.#nextPurge(until), ...this.#lastPurge },
    };
  }

  /** Adds a sample to the history. What has happened is counted in the next one when it cannot be written. */
  async sample(): Promise<void> {
    const { disk, history } = this.#parts;
    if (history === undefined) return;
    const totals = await this.totals();
    const diskFree = (await disk())?.free;
    const events = this.#events.take();
    const levels = { ...levelsOf(totals), ...(diskFree !== undefined && { diskFree }) };
    try {
      await history.add({ at: this.#time(), ...levels, ...events });
    } catch (error) {
      this.#events.putBack(events);
      throw error;
    }
  }

  /** Removes the samples that are too old. */
  async prune(): Promise<void> {
    await this.#parts.history?.prune(this.#time() - KEPT_MS);
  }

  /** Forgets everything that was, for a reset. */
  async forget(): Promise<void> {
    this.#events.take();
    this.#lastPurge = {};
    await this.#parts.history?.prune(Infinity);
  }

  /**
   * Adds a sample now, then one every ten minutes, and one at the end.
   * @param purgeDueIn - returns in how many milliseconds the purge runs next
   * @returns a function that ends it; a sample for which the ledger is still being read is then not added
   */
  start(purgeDueIn: () => number | undefined): () => Promise<void> {
    this.#purgeDueIn = purgeDueIn;
    let sampling: Promise<void> | undefined;
    let isEnded = false;
    const fail = (error: unknown): void => {
      this.#parts.uploads().logger.error({ err: error }, 'could not measure the usage');
    };
    const sample = (): void => {
      sampling = this.sample().catch(fail);
    };
    this.totals().then(() => {
      if (!isEnded) sample();
    }, fail);
    const timer = setInterval(sample, SAMPLE_MS).unref();
    return async () => {
      isEnded = true;
      clearInterval(timer);
      this.#purgeDueIn = () => undefined;
      if (sampling === undefined) return;
      await sampling;
      sample();
      await sampling;
    };
  }

  /** The job runs by the clock of the machine, on whole seconds; the gateway may have another clock. */
  #nextPurge(now: number): Pick<UsageReportShape['purge'], 'nextAt'> {
    const dueIn = this.#purgeDueIn();
    if (dueIn === undefined) return {};
    return { nextAt: iso(SECOND_MS * Math.round((now + dueIn) / SECOND_MS)) };
  }

  /** @returns the totals of all accounts, which go on to change */
  async totals(): Promise<LedgerTotals> {
    const { totals, uploads } = this.#parts;
    await totals.start(uploads().ledger);
    return totals;
  }

  #time(): number {
    return this.#parts.uploads().clock.now();
  }
}

type Levels = Pick<UsageSample, 'packages' | 'uploads'>;

/** @returns a copy, because totals change */
function levelsOf({ packages, uploads }: Totals): Levels {
  const { claimed, issued, purged, purging, stored } = uploads;
  return {
    uploads: {
      issued: { ...issued },
      stored: { ...stored },
      claimed: { ...claimed },
      purging: { ...purging },
      purged: { ...purged },
    },
    packages,
  };
}

function showLevels({ packages, uploads }: Levels, at: number): UsageShape {
  const { claimed, purging, stored } = uploads;
  const bytes = stored.bytes + claimed.bytes + purging.bytes;
  return { at: iso(at), uploads, packages, bytes };
}

function showSample({ diskFree, purges, ...sample }: UsageSample): UsageSampleShape {
  const all = Object.values(purges);
  return {
    ...showLevels(sample, sample.at),
    ...(diskFree !== undefined && { diskFree }),
    purgedUploads: all.reduce((sum, { count }) => sum + count, 0),
    purgedBytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    refusals: sample.refusals,
  };
}

/** @returns the shortest span with which a period has no more samples than are shown; it begins within one */
function spanOf(period: number): number {
  return SAMPLE_MS * Math.max(1, Math.ceil(period / (MAX_SAMPLES - 1) / SAMPLE_MS));
}
