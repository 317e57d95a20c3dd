import { performance } from 'node:perf_hooks';

/** A source of the current time. */
export interface Clock {
  /** @returns whole milliseconds since the Unix epoch, or since the start that the clock documents */
  now(): number;
}

/**
 * The machine's clock. It can be set, so the difference of two readings is not a duration. When a test has faked `Date`,
 * it follows: clients in the same process date their calls by it.
 */
export const wallClock: Clock = { now: () => Date.now() };

// The function of this moment: fake timers replace it, and durations in real time must not stand still.
const monotonicNow = performance.now.bind(performance);

/** Counts from the start of the process, never goes back, and cannot be set. Use it for durations in real time. */
export const monotonicClock: Clock = { now: () => Math.floor(monotonicNow()) };

/** @returns milliseconds since the start of the process, with fractions: for times that are shorter than one */
export function preciseNow(): number {
  return monotonicNow();
}

/** @returns milliseconds since a reading of a clock; 0 when the clock was set back after the reading */
export function elapsedSince(startedAt: number, clock: Clock): number {
  return Math.max(0, clock.now() - startedAt);
}

/** A span of time: the sum of its members. */
export interface Duration {
  readonly milliseconds?: number;
  readonly seconds?: number;
  readonly minutes?: number;
  readonly hours?: number;
  readonly days?: number;
}

/** @returns the duration in whole milliseconds, rounded to the nearest. */
export function toMilliseconds(duration: Duration): number {
  const { milliseconds = 0, seconds = 0, minutes = 0, hours = 0, days = 0 } = duration;
  return Math.round(milliseconds + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days))));
}

/*
 * The range of a clock that is moved by hand. Every date format has four digits for the year; the end leaves room for
 * later dates, such as the expiration of a policy.
 */
const EARLIEST = 0;
const LATEST = Date.UTC(9000, 0, 1);

/** The first and the last time of a clock that is moved by hand, in Unix milliseconds. */
export const CLOCK_RANGE = { earliest: EARLIEST, latest: LATEST } as const;

/** The time is outside the range of the clock; the clock was not changed. */
export class ClockRangeError extends RangeError {
  override readonly name = 'ClockRangeError';
}

/**
 * @returns the time in whole milliseconds since the Unix epoch
 * @throws ClockRangeError for a value that is not a number, or a time outside the years 1970 to 8999
 */
function toReading(time: Date | number): number {
  const reading = Math.floor(Number(time));
  if (reading >= EARLIEST && reading <= LATEST) return reading;
  const [earliest, latest] = [EARLIEST, LATEST].map((limit) => new Date(limit).toISOString());
  throw new ClockRangeError(
    `the clock can stand from ${earliest} to ${latest}, not at ${String(Number(time))} milliseconds`,
  );
}

/** A clock that stands still until it is moved by hand. */
export class ManualClock implements Clock {
  #now: number;

  /**
   * @param startAt - the first reading: a date, or milliseconds since the Unix epoch
   * @throws ClockRangeError as `set`
   */
  constructor(startAt: Date | number = Date.UTC(2024, 0, 1)) {
    this.#now = toReading(startAt);
  }

  /** @returns whole milliseconds since the Unix epoch */
  now(): number {
    return this.#now;
  }

  /**
   * Moves the clock forward by a duration; a negative duration moves it back.
   * @throws ClockRangeError as `set`
   */
  advance(duration: Duration): void {
    this.set(this.#now + toMilliseconds(duration));
  }

  /**
   * Sets the clock to a date, or to milliseconds since the Unix epoch.
   * @throws ClockRangeError for a time outside the years 1970 to 8999
   */
  set(time: Date | number): void {
    this.#now = toReading(time);
  }
}

/** A clock that follows another one, or stands still from the start, until it is moved or stopped by hand. */
export class AdjustableClock implements Clock {
  readonly #base: Clock;
  readonly #standAt: number | undefined;
  #offset = 0;
  #stoppedAt: number | undefined;

  /**
   * @param base - the clock to follow
   * @param standAt - where it stands at first, in Unix milliseconds; absent: it follows `base` at once
   * @throws ClockRangeError as `set`
   */
  constructor(base: Clock, standAt?: number) {
    this.#base = base;
    this.#standAt = standAt === undefined ? undefined : toReading(standAt);
    this.#stoppedAt = this.#standAt;
  }

  /** @returns whole milliseconds since the Unix epoch; the clock stands still at either end of its range */
  now(): number {
    const time = this.#stoppedAt ?? Math.floor(this.#base.now() + this.#offset);
    return Math.min(Math.max(time, EARLIEST), LATEST);
  }

  get isFrozen(): boolean {
    return this.#stoppedAt !== undefined;
  }

  /** How many milliseconds it is ahead of the clock that it follows; negative when it is behind. */
  get offset(): number {
    return this.now() - this.#base.now();
  }

  /**
   * Moves the clock forward by a duration; a negative duration moves it back. A stopped clock stays stopped.
   * @throws ClockRangeError as `set`
   */
  advance(duration: Duration): void {
    this.set(this.now() + toMilliseconds(duration));
  }

  /**
   * Sets the clock to a date, or to milliseconds since the Unix epoch. A stopped clock stays stopped.
   * @throws ClockRangeError for a time outside the years 1970 to 8999
   */
  set(time: Date | number): void {
    const reading = toReading(time);
    if (this.#stoppedAt !== undefined) this.#stoppedAt = reading;
    this.#offset = reading - this.#base.now();
  }

  /** Stops the clock at its present time. */
  freeze(): void {
    this.#stoppedAt = this.now();
  }

  /** Lets a stopped clock continue from its present time. */
  unfreeze(): void {
    if (this.#stoppedAt === undefined) return;
    this.#offset = this.#stoppedAt - this.#base.now();
    this.#stoppedAt = undefined;
  }

  /** Brings the clock back to its start: it follows the other one without a difference, or stands still. */
  reset(): void {
    this.#stoppedAt = this.#standAt;
    this.#offset = 0;
  }
}
