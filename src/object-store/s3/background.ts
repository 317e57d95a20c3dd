import { setTimeout } from '../../lib/timers.ts';

/** Tasks that nobody waits for, except a stop. */
export class Background {
  readonly #running = new Set<Promise<void>>();

  /** @param task - handles its own errors */
  run(task: () => Promise<void>): void {
    const running = task().finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Waits until all tasks have ended, at most for a time in milliseconds. */
  async drain(timeout: number): Promise<void> {
    if (this.#running.size === 0) return;
    const limit = new Promise((resolve) => setTimeout(resolve, timeout).unref());
    await Promise.race([Promise.allSettled([...this.#running]), limit]);
  }
}
