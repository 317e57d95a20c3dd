/** Runs a task for many callers: calls that arrive during a run share the next run. */
export class CoalescedTask {
  readonly #task: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(task: () => Promise<void>) {
    this.#task = task;
  }

  /** @returns the result of a run that begins after this call */
  run(): Promise<void> {
    return (this.#next ??= this.#runAfter(this.#running));
  }

  /** Waits until all runs that were requested so far have ended. Ignores their errors. */
  async drain(): Promise<void> {
    await Promise.allSettled([this.#next ?? this.#running]);
  }

  async #runAfter(running: Promise<void>): Promise<void> {
    await Promise.allSettled([running]);
    this.#next = undefined;
    this.#running = this.#task();
    await this.#running;
  }
}

/**
 * Calls `work` for each item, `atOnce` at the same time. Takes an item only when it can begin with it.
 * @throws the first error, after the calls in progress have ended
 */
export async function forEachOf<T>(
  items: Iterable<T> | AsyncIterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failed = false;
  const worker = async (): Promise<void> => {
    try {
      for (let next = await waiting.next(); next.done !== true; next = await waiting.next()) {
        if (failed) return;
        await work(next.value);
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const results = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
