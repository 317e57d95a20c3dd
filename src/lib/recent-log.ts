/** Keeps the latest entries in memory. */
export class RecentLog<Entry> {
  /** How many entries are kept. */
  static readonly CAPACITY = 1000;
  readonly #entries: Entry[] = [];
  /** Where the oldest entry is, once there are as many as are kept. */
  #oldest = 0;

  /** Adds an entry, and forgets the oldest one when there are too many. */
  add(entry: Entry): void {
    this.#entries[this.#oldest] = entry;
    this.#oldest = (this.#oldest + 1) % RecentLog.CAPACITY;
  }

  /** @returns the last 1000 entries, oldest first */
  list(): readonly Entry[] {
    const isFull = this.#entries.length === RecentLog.CAPACITY;
    if (!isFull) return [...this.#entries];
    return [...this.#entries.slice(this.#oldest), ...this.#entries.slice(0, this.#oldest)];
  }

  /** Forgets all entries. */
  clear(): void {
    this.#entries.length = 0;
    this.#oldest = 0;
  }
}
