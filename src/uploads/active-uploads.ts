import { clearTimeout, setTimeout } from '../lib/timers.ts';

/** An upload whose body is being received. */
export interface ActiveUpload {
  /** Removes its key. Idempotent. */
  readonly end: () => void;
  /**
   * Records its body.
   * @returns undefined without a record when the upload was cancelled
   */
  readonly record: <T>(write: () => Promise<T>) => Promise<T | undefined>;
}

/** The object keys whose bodies are being received. The purge keeps their grants. */
export class ActiveUploads {
  readonly #recording = new Set<Promise<unknown>>();
  /** Changes when all uploads are cancelled. */
  #generation = 0;
  readonly #counts = new Map<string, number>();
  readonly #emptyListeners = new Set<() => void>();

  /** Adds a key. */
  begin(key: string): ActiveUpload {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    const generation = this.#generation;
    let hasEnded = false;
    const end = (): void => {
      if (hasEnded) return;
      hasEnded = true;
      // It was cancelled, and its key with it.
      if (generation !== this.#generation) return;
      const count = (this.#counts.get(key) ?? 1) - 1;
      if (count === 0) this.#counts.delete(key);
      else this.#counts.set(key, count);
      if (this.#counts.size > 0) return;
      this.#callListeners();
    };
    return {
      end,
      record: async (write) => {
        if (generation !== this.#generation) return undefined;
        const written = write();
        this.#recording.add(written);
        try {
          return await written;
        } finally {
          this.#recording.delete(written);
        }
      },
    };
  }

  /** Cancels every upload, and waits for those that are just being recorded. For a reset. */
  async cancelAll(): Promise<void> {
    this.#generation += 1;
    this.#counts.clear();
    this.#callListeners();
    await Promise.allSettled(this.#recording);
  }

  #callListeners(): void {
    for (const listener of this.#emptyListeners) listener();
  }

  /** @returns every active key */
  list(): string[] {
    return [...this.#counts.keys()];
  }

  /** Waits until no key is active. @param limit - returns after this time at the latest, in milliseconds */
  async drain(limit: number): Promise<void> {
    if (this.#counts.size === 0) return;
    await new Promise<void>((resolve) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#emptyListeners.delete(stop);
        resolve();
      };
      const timer = setTimeout(stop, limit);
      this.#emptyListeners.add(stop);
    });
  }
}
