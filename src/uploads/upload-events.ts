import type { Observer } from './ports.ts';

/** Passes the events of each upload to those that wait for them. */
export class UploadEvents {
  readonly #listeners = new Map<string, Set<() => void>>();

  /** Receives the events of a gateway. */
  readonly observer: Observer = {
    stored: (key) => {
      this.#notify(key);
    },
    claimed: ({ files }) => {
      for (const { key } of files) this.#notify(key);
    },
    purged: ({ key }) => {
      this.#notify(key);
    },
  };

  /**
   * Calls back after each event of an upload: it was stored, claimed or purged.
   * @returns a function that removes the callback
   */
  on(key: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(key);
    };
  }

  #notify(key: string): void {
    for (const listener of this.#listeners.get(key) ?? []) listener();
  }
}
