/** A source of the current time, in milliseconds since the Unix epoch. */
export interface Clock {
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
