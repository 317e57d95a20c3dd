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

/**
 * Cuts a text to keep it. Copies it, because a part of a text of V8 keeps the whole text, for example a request body,
 * in memory.
 * @param limit - characters (UTF-16 units)
 */
export function keptText(text: string, limit: number): string {
  const kept = Buffer.from(text.slice(0, limit)).toString();
  return text.length > limit ? `${kept}...` : kept;
}

/** Cuts a text only when it is longer. @param limit - characters (UTF-16 units) */
export function cutText(text: string, limit: number): string {
  return text.length > limit ? keptText(text, limit) : text;
}
