import type { NonceMemory } from '../accounts/ports.ts';
import { toMilliseconds } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { MAX_FRESH } from '../http/call-date.ts';

/** A little more than the longest time for which a call is fresh. */
const PERIOD = MAX_FRESH + toMilliseconds({ minutes: 1 });

/** Earlier than any time. */
const EARLIEST = -Infinity;

/**
 * Keeps nonces long enough, also when the clock is set. A nonce expires by the clock of the gateway. When that is set
 * forward and then back, a call could be fresh again although its nonce was forgotten in between. So a nonce is
 * forgotten only when it had expired by every reading of the clock in the last 31 to 62 minutes of real time. In the
 * first 31 minutes of the process no nonce is forgotten, because the readings of the previous process are not known.
 */
export class RetainedNonces implements NonceMemory {
  readonly #nonces: NonceMemory;
  readonly #clock: Clock;
  readonly #monotonic: Clock;
  #periodStart: number;
  /** The lowest reading of the current period. */
  #lowest: number;
  /** The lowest reading of the previous period. */
  #lowestBefore = EARLIEST;

  /** @param monotonic - measures real time */
  constructor(nonces: NonceMemory, clock: Clock, monotonic: Clock) {
    this.#nonces = nonces;
    this.#clock = clock;
    this.#monotonic = monotonic;
    this.#periodStart = monotonic.now();
    this.#lowest = clock.now();
  }

  burn(accessKeyId: string, nonce: string, expiresAt: number): Promise<boolean> {
    this.#observe(Math.min(this.#clock.now(), expiresAt));
    return this.#nonces.burn(accessKeyId, nonce, expiresAt);
  }

  prune(expiredBefore: number, limit: number): Promise<number> {
    this.#observe(this.#clock.now());
    const bound = Math.min(expiredBefore, this.#lowestBefore, this.#lowest);
    return bound === EARLIEST ? Promise.resolve(0) : this.#nonces.prune(bound, limit);
  }

  #observe(reading: number): void {
    const time = this.#monotonic.now();
    if (time - this.#periodStart >= PERIOD) {
      this.#periodStart = time;
      this.#lowestBefore = this.#lowest;
      this.#lowest = reading;
    }
    this.#lowest = Math.min(this.#lowest, reading);
  }
}
