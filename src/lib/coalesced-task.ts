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
