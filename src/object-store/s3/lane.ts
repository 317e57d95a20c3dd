import { clearTimeout, setTimeout } from '../../lib/timers.ts';
import { StoreUnavailable } from '../../uploads/unavailable.ts';

interface Waiting {
  readonly enter: () => void;
  readonly refuse: (error: StoreUnavailable) => void;
}

/**
 * Lets a number of calls go on at the same time. The others wait in the order of their requests, but not for a store
 * that stands still.
 */
export class Lane {
  #free: number;
  readonly #waiting = new Set<Waiting>();
  readonly #patience: number | undefined;
  readonly #onRefused: (error: StoreUnavailable) => void;
  #watch: NodeJS.Timeout | undefined;

  /**
   * @param patience - milliseconds without the end of any call, after which those that wait are refused
   * @param onRefused - is called when those that wait are refused
   */
  constructor(
    size: number,
    patience?: number,
    onRefused: (error: StoreUnavailable) => void = () => undefined,
  ) {
    this.#free = size;
    this.#patience = patience;
    this.#onRefused = onRefused;
  }

  /** @throws StoreUnavailable when it did not begin; what `call` throws */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait();
    try {
      return await call();
    } finally {
      this.#leave();
    }
  }

  /** Refuses all calls that wait, because they would fail like one before them. */
  refuseWaiting(message: string): void {
    const error = new StoreUnavailable(message);
    for (const { refuse } of this.#waiting) refuse(error);
    this.#waiting.clear();
    this.#onRefused(error);
    this.#watchNext();
  }

  #wait(): Promise<void> {
    return new Promise((enter, refuse) => {
      this.#waiting.add({ enter, refuse });
      if (this.#watch === undefined) this.#watchNext();
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next.enter();
    this.#watchNext();
  }

  #watchNext(): void {
    clearTimeout(this.#watch);
    this.#watch = undefined;
    if (this.#patience === undefined || this.#waiting.size === 0) return;
    this.#watch = setTimeout(() => {
      this.refuseWaiting('the store is too slow for all that arrives');
    }, this.#patience);
  }
}
