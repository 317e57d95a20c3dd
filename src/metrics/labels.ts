import type { Dialect } from '../http/request-record.ts';
import type { StoreFailure } from '../uploads/ports.ts';
import type { PurgeReason, UploadState } from '../uploads/upload.ts';

/** The value of a label for everything that has no value of its own. */
export const OTHER = 'other';

export const DIALECTS: readonly Dialect[] = ['iot', 'oss', 'operator', 'http'];
export const STATES: readonly UploadState[] = ['issued', 'stored', 'claimed', 'purging', 'purged'];
/** The states in which the bytes of an upload are on the disk. */
export const STATES_ON_DISK: readonly UploadState[] = ['stored', 'claimed', 'purging'];
export const PURGE_REASONS: readonly PurgeReason[] = [
  'unclaimed',
  'replaced',
  'deleted',
  'retired',
];

export const STORE_FAILURES: readonly StoreFailure[] = [
  ...(['silent', 'failing', 'skewed', 'refused', 'full', 'unexpected'] as const),
];

/** The code of a success. */
export const OK = 'OK';
export const INTERNAL_ERROR = 'InternalError';

/** The names that labels may have; all others become `other`. */
export interface KnownNames {
  /** Operations by dialect. */
  readonly operations: Readonly<Partial<Record<Dialect, readonly string[]>>>;
  /** Error codes of all dialects, without `OK`. */
  readonly codes: readonly string[];
  /** Reasons of refusals. */
  readonly reasons: readonly string[];
}

/**
 * A label that has only known values, and only as many series as are left: everything else becomes `other`. Several
 * metrics with other labels may share what is left.
 */
export class ClosedLabel {
  readonly #known: ReadonlySet<string>;
  #left: number;

  /** @param series - how many series may have a value of their own */
  constructor(known: Iterable<string>, series: number) {
    this.#known = new Set(known);
    this.#left = series;
  }

  /** @returns the value of the label, before its limit */
  close(value: string): string {
    return this.#known.has(value) ? value : OTHER;
  }

  /** Chooses the value of a new series. */
  take(value: string): string {
    if (value === OTHER || this.#left <= 0) return OTHER;
    this.#left -= 1;
    return value;
  }
}

/** Adds to a series. */
export type Add = (value: number) => void;

/** The series that differ in one closed label. */
export class ClosedSeries {
  readonly #label: ClosedLabel;
  readonly #create: (value: string) => Add;
  readonly #series = new Map<string, Add>();

  /** @param create - makes the series of a value */
  constructor(label: ClosedLabel, create: (value: string) => Add) {
    this.#label = label;
    this.#create = create;
  }

  /** Adds to the series of a value. */
  add(value: string, amount: number): void {
    (this.#series.get(value) ?? this.#find(value))(amount);
  }

  #find(value: string): Add {
    const closed = this.#label.close(value);
    const found = this.#series.get(closed);
    if (found !== undefined) return found;
    const made = this.#create(this.#label.take(closed));
    this.#series.set(closed, made);
    return made;
  }
}
