/** The object keys that a body is streaming to right now, so that nobody forgets their issue meanwhile. */
export class ActiveUploads {
  readonly #counts = new Map<string, number>();
  readonly #whenEmpty = new Set<() => void>();

  /** Marks a key. @returns a function that takes the mark back, once. */
  begin(key: string): () => void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const count = (this.#counts.get(key) ?? 1) - 1;
      if (count === 0) this.#counts.delete(key);
      else this.#counts.set(key, count);
      if (this.#counts.size > 0) return;
      for (const tell of this.#whenEmpty) tell();
    };
  }

  /** @returns every marked key. */
  list(): string[] {
    return [...this.#counts.keys()];
  }

  /** Waits until no key is marked, at most for a time in milliseconds. */
  async drain(limit: number): Promise<void> {
    if (this.#counts.size === 0) return;
    await new Promise<void>((resolve) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#whenEmpty.delete(stop);
        resolve();
      };
      const timer = setTimeout(stop, limit);
      this.#whenEmpty.add(stop);
    });
  }
}
