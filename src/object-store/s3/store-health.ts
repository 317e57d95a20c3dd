import type { Clock } from '../../lib/clock.ts';
import { elapsedSince } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';

/** Whether the store answers. Logs each change once, instead of each request. */
export class StoreHealth {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #store: string;
  #failingSince: number | undefined;

  /** @param store - what the log calls it */
  constructor(store: string, clock: Clock, logger: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** In Unix milliseconds; undefined while the store answers. */
  get failingSince(): number | undefined {
    return this.#failingSince;
  }

  /** The store has answered. */
  noteAnswer(): void {
    if (this.#failingSince === undefined) return;
    const ms = elapsedSince(this.#failingSince, this.#clock);
    this.#failingSince = undefined;
    this.#logger.info({ store: this.#store, ms }, 'the store answers again');
  }

  /** All tries of a request have failed. */
  noteFailure(error: unknown): void {
    if (this.#failingSince !== undefined) return;
    this.#failingSince = this.#clock.now();
    const message = 'the store cannot be used: uploads and downloads are refused until it answers';
    this.#logger.error({ store: this.#store, err: error }, message);
  }
}
