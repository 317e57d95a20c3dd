import { clearTimeout, setTimeout } from '../lib/timers.ts';

/** An upload whose body is being received. */
export interface ActiveUpload {
  /** It is not received any more. Idempotent. */
  readonly end: () => void;
  /**
   * Records its body.
   * @returns undefined without a record when the upload was cancelled
   */
  readonly record: <T>(write: () => Promise<T>) => Promise<T | undefined>;
}

/** Counts the uploads whose bodies are being received, so that a stop waits for them and a reset cancels them. */
export class ActiveUploads {
  readonly #recording = new Set<Promise<unknown>>();
  /** Changes when all uploads are cancelled. */
  #generation = 0;
  #count = 0;
  readonly #emptyListeners = new Set<() => void>();

  begin(): ActiveUpload {
    this.#count += 1;
    const generation = this.#generation;
    let hasEnded = false;
    const end = (): void => {
      if (hasEnded) return;
      hasEnded = true;
      // It was cancelled, and is not counted any more.
      if (generation !== this.#generation) return;
      this.#count -= 1;
      if (this.#count === 0) this.#callListeners();
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
    this.#count = 0;
    this.#callListeners();
    await Promise.allSettled(this.#recording);
  }

  #callListeners(): void {
    for (const listener of this.#emptyListeners) listener();
  }

  /** Waits until no upload is active. @param limit - returns after this time at the latest, in milliseconds */
  async drain(limit: number): Promise<void> {
    if (this.#count === 0) return;
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
