/** A source of the current time, in milliseconds since the Unix epoch. */
export interface Clock {
  /** @returns milliseconds since the Unix epoch */
  now(): number;
}

/** The machine's own clock. */
export const wallClock: Clock = { now: () => Date.now() };

/** A span of time; the parts add up. */
export interface Duration {
  readonly milliseconds?: number;
  readonly seconds?: number;
  readonly minutes?: number;
  readonly hours?: number;
  readonly days?: number;
}

/** @returns the duration in milliseconds. */
export function toMilliseconds(duration: Duration): number {
  const { milliseconds = 0, seconds = 0, minutes = 0, hours = 0, days = 0 } = duration;
  return milliseconds + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)));
}

/** A clock that stands still until it is moved by hand. */
export class ManualClock implements Clock {
  #now: number;

  /** @param startAt - the first reading: a date, or milliseconds since the Unix epoch. */
  constructor(startAt: Date | number = Date.UTC(2024, 0, 1)) {
    this.#now = Number(startAt);
  }

  /** @returns milliseconds since the Unix epoch */
  now(): number {
    return this.#now;
  }

  /** Moves the clock on by a duration; a negative part moves it back. */
  advance(duration: Duration): void {
    this.#now += toMilliseconds(duration);
  }

  /** Sets the clock to a date, or to milliseconds since the Unix epoch. */
  set(time: Date | number): void {
    this.#now = Number(time);
  }
}

/** A clock that follows another one until it is moved or stopped by hand. */
export class AdjustableClock implements Clock {
  readonly #base: Clock;
  #offset = 0;
  #stoppedAt: number | undefined;

  constructor(base: Clock) {
    this.#base = base;
  }

  /** @returns milliseconds since the Unix epoch */
  now(): number {
    return this.#stoppedAt ?? this.#base.now() + this.#offset;
  }

  get isFrozen(): boolean {
    return this.#stoppedAt !== undefined;
  }

  /** How far it is ahead of the clock that it follows, in milliseconds; negative when it is behind. */
  get offset(): number {
    return this.now() - this.#base.now();
  }

  /** Moves the clock on by a duration; a negative part moves it back. A stopped clock stays stopped. */
  advance(duration: Duration): void {
    this.set(this.now() + toMilliseconds(duration));
  }

  /** Sets the clock to a date, or to milliseconds since the Unix epoch. A stopped clock stays stopped. */
  set(time: Date | number): void {
    if (this.#stoppedAt !== undefined) this.#stoppedAt = Number(time);
    this.#offset = Number(time) - this.#base.now();
  }

  /** Stops the clock where it is. */
  freeze(): void {
    this.#stoppedAt = this.now();
  }

  /** Lets a stopped clock go on from where it stands. */
  unfreeze(): void {
    if (this.#stoppedAt === undefined) return;
    this.#offset = this.#stoppedAt - this.#base.now();
    this.#stoppedAt = undefined;
  }

  /** Makes the clock follow the other one again, without a difference. */
  reset(): void {
    this.#stoppedAt = undefined;
    this.#offset = 0;
  }
}
