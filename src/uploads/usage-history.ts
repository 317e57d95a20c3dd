import type { StateCount, UploadCounts } from './ledger-queries.ts';
import type { PurgeReason } from './upload.ts';

/** One sample at most is kept of each span of this length, in milliseconds. */
export const SAMPLE_MS = 600_000;
/** How long samples are kept, in milliseconds: 90 days. */
export const KEPT_MS = 90 * 86_400_000;

/** Uploads that were purged, by the reason. */
export type PurgeCounts = Readonly<Record<PurgeReason, StateCount>>;

/** What has happened in a span of time. */
export interface UsageEvents {
  readonly purges: PurgeCounts;
  /** Number of refused requests. */
  readonly refusals: number;
}

/** How much there was at one time, and what has happened since the sample before. */
export interface UsageSample extends UsageEvents {
  /** Unix milliseconds, by the clock of the gateway. */
  readonly at: number;
  readonly uploads: UploadCounts;
  readonly packages: number;
  /** Free bytes of the disk; absent when they were not known. */
  readonly diskFree?: number;
}

/** Which samples to read. Times are Unix milliseconds. */
export interface SampleQuery {
  /** Only later ones. */
  readonly after: number;
  /** Only those of this time and earlier. */
  readonly until: number;
  /** Those of a span of this length become one: the last levels, and the sums of the events. Whole times `SAMPLE_MS`. */
  readonly span: number;
}

/** Keeps samples of the usage. After a power cut the last ones may be missing. */
export interface UsageHistory {
  /**
   * Adds a sample. When its span has one already, because the gateway was started again or its clock was set back, the
   * levels are replaced, and the events are added up. No other sample is changed.
   */
  add(sample: UsageSample): Promise<void>;
  /** @returns the oldest first */
  list(query: SampleQuery): Promise<UsageSample[]>;
  /** Removes the samples of spans that ended before a time. */
  prune(before: number): Promise<void>;
}
