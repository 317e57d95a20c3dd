import { clearTimeout, setTimeout } from '../lib/timers.ts';

/** The object keys whose bodies are being received. The purge keeps their grants. */
export class ActiveUploads {
  readonly #counts = new Map<string, number>();
  readonly #emptyListeners = new Set<() => void>();

  /** Adds a key. @returns a function that removes it; further calls of that function do nothing */
  begin(key: string): () => void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    let hasEnded = false;
    return () => {
      if (hasEnded) return;
      hasEnded = true;
      const count = (this.#counts.get(key) ?? 1) - 1;
      if (count === 0) this.#counts.delete(key);
      else this.#counts.set(key, count);
      if (this.#counts.size > 0) return;
      for (const listener of this.#emptyListeners) listener();
    };
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
