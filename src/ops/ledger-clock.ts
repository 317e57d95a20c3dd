import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { clearInterval, setInterval } from '../lib/timers.ts';
import { ClockDiffers } from '../uploads/unavailable.ts';
import type { SharedState } from '../uploads/shared-state.ts';

const INTERVAL_MS = 60_000;
/** A difference that is worth a line in the log, in milliseconds. */
const NOTICED_MS = 1000;
/** A difference with which a gateway must not serve, in milliseconds. */
const TOLERATED_MS = 10_000;

/**
 * Compares the clock of this gateway with that of the ledger: gateways compute the deadlines of each other's uploads, so
 * their clocks must agree.
 */
export class LedgerClock {
  readonly #ledger: Pick<SharedState, 'now'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #ahead = 0;

  /** @param clock - of this machine */
  constructor(ledger: Pick<SharedState, 'now'>, clock: Clock, logger: Logger) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** By how many milliseconds this gateway was ahead of the ledger at the last comparison. */
  get ahead(): number {
    return this.#ahead;
  }

  /** Compares now. A ledger that does not answer changes nothing. */
  async compare(): Promise<void> {
    const before = this.#clock.now();
    try {
      const there = await this.#ledger.now();
      this.#ahead = Math.round((before + this.#clock.now()) / 2 - there);
    } catch {
      return;
    }
    if (Math.abs(this.#ahead) <= NOTICED_MS) return;
    this.#logger.warn(
      { ahead: this.#ahead },
      'the clock of this gateway differs from that of the ledger: let a time service set both',
    );
  }

  /** @throws ClockDiffers when uploads would end too early or too late */
  async requireSame(): Promise<void> {
    if (Math.abs(this.#ahead) <= TOLERATED_MS) return;
    throw new ClockDiffers(
      `the clock of this gateway is ${String(this.#ahead)} ms ahead of the ledger`,
    );
  }

  /** Compares now: the clock may have been set since the last comparison. @throws ClockDiffers as `requireSame` does */
  async requireSameNow(): Promise<void> {
    await this.compare();
    await this.requireSame();
  }

  /** Compares once a minute. @returns a function that stops it */
  start(): () => Promise<void> {
    const timer = setInterval(() => {
      this.compare().catch(() => undefined);
    }, INTERVAL_MS);
    timer.unref();
    return async () => {
      clearInterval(timer);
    };
  }
}
