/** Does one thing for many who ask: those who ask while it is under way share the next time. */
export class CoalescedTask {
  readonly #task: () => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(task: () => Promise<void>) {
    this.#task = task;
  }

  /** @returns what became of a run that began after this call */
  run(): Promise<void> {
    return (this.#next ??= this.#runAfter(this.#running));
  }

  /** Waits for whatever was asked for until now, and its end, be it good or bad. */
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
