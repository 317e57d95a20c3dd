import type { Quota } from '../accounts/ports.ts';
import type { Clock } from '../lib/clock.ts';
import { monotonicClock } from '../lib/clock.ts';

/** Which quotas apply: `on`: the one of each operation; a number: this one for every operation; `off`: none. */
export type QuotaRule = 'on' | 'off' | number;

const PERIOD_MS = 1000;

/** A quota in memory. */
export interface MemoryQuota extends Quota {
  /** Forgets all calls. */
  clear(): void;
}

/**
 * Counts calls in memory. In any second, an account may make so many calls of an operation, and no more: the second
 * slides, so that twice as many cannot pass around the end of a period. Only calls that were allowed count.
 * @param clock - measures the second; the default cannot be set. When it is moved back, the second starts again.
 */
export function createQuota(clock: Clock = monotonicClock): MemoryQuota {
  const windows = new Map<string, Map<string, SlidingWindow>>();
  return {
    take: async (accountId, operation, perSecond) => {
      const accounts = windows.get(operation) ?? new Map<string, SlidingWindow>();
      const known = accounts.get(accountId);
      if (known?.limit === perSecond) return known.take(clock.now());
      const window = new SlidingWindow(perSecond);
      windows.set(operation, accounts.set(accountId, window));
      return window.take(clock.now());
    },
    clear: () => {
      windows.clear();
    },
  };
}

/**
 * The calls of the last second, counted by the millisecond. Its memory is at most one entry for each millisecond, and
 * at most one for each allowed call.
 */
class SlidingWindow {
  /** Calls in the period. */
  readonly limit: number;
  /** A ring: the times of calls, ascending from `#first`, and how many calls each has. */
  readonly #times: Float64Array;
  readonly #counts: Uint32Array;
  #first = 0;
  #entries = 0;
  #calls = 0;

  constructor(limit: number) {
    this.limit = limit;
    const capacity = Math.min(limit, PERIOD_MS);
    this.#times = new Float64Array(capacity);
    this.#counts = new Uint32Array(capacity);
  }

  /** @returns undefined when a call is allowed; otherwise the milliseconds until the next one is */
  take(now: number): number | undefined {
    if (now < this.#last()) this.#clear();
    while (this.#entries > 0 && now - this.#at(this.#times, 0) >= PERIOD_MS) this.#dropFirst();
    if (this.#calls >= this.limit) return this.#at(this.#times, 0) + PERIOD_MS - now;
    if (now !== this.#last()) {
      this.#entries += 1;
      this.#times[this.#slot(this.#entries - 1)] = now;
      this.#counts[this.#slot(this.#entries - 1)] = 0;
    }
    const slot = this.#slot(this.#entries - 1);
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
    this.#calls += 1;
    return undefined;
  }

  #last(): number {
    return this.#entries === 0 ? -Infinity : this.#at(this.#times, this.#entries - 1);
  }

  #slot(entry: number): number {
    return (this.#first + entry) % this.#times.length;
  }

  #at(values: Float64Array | Uint32Array, entry: number): number {
    return values[this.#slot(entry)] ?? 0;
  }

  #dropFirst(): void {
    this.#calls -= this.#at(this.#counts, 0);
    this.#first = this.#slot(1);
    this.#entries -= 1;
  }

  #clear(): void {
    this.#entries = 0;
    this.#calls = 0;
  }
}
