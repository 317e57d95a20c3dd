import type { Clock } from '../lib/clock.ts';

interface Entry<V> {
  readonly value: V;
  readonly until: number;
}

/** A map whose entries end at a time of their own. When it is full, the entry that was set first makes room. */
export class ExpiringMap<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #clock: Clock;
  readonly #capacity: number;

  constructor(clock: Clock, capacity = 10_000) {
    this.#clock = clock;
    this.#capacity = capacity;
  }

  get(key: string): Entry<V> | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#clock.now() < entry.until ? entry : undefined;
  }

  set(key: string, value: V, until: number): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#capacity) this.#makeRoom();
    this.#entries.set(key, { value, until });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  #makeRoom(): void {
    const now = this.#clock.now();
    for (const [key, { until }] of this.#entries) if (now >= until) this.#entries.delete(key);
    if (this.#entries.size < this.#capacity) return;
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      return;
    }
  }
}
