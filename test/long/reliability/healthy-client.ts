import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { ACCOUNT_KEY } from '../../support/built-gateway.ts';

const times = z.array(z.number());

const children = new Set<ChildProcess>();

/** Ends processes that a failed test has left running. */
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process that uploads small files one after another, and measures how long each takes. */
export class HealthyClient {
  readonly #child: ChildProcess;
  readonly #failed: Promise<never>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#failed = once(child, 'exit').then(([code]) => {
      throw new Error(`the healthy client ended with ${String(code)}`);
    });
    this.#failed.catch(() => undefined);
  }

  static async start(url: string): Promise<HealthyClient> {
    const player = join(__dirname, 'healthy-player.js');
    const child = fork(player, [url, ACCOUNT_KEY.id, ACCOUNT_KEY.secret]);
    children.add(child);
    await once(child, 'message');
    return new HealthyClient(child);
  }

  /** Begins to upload, and continues until `finish`. Resolves after a number of uploads. */
  async begin(enough: number): Promise<void> {
    await this.#ask({ enough });
  }

  /** @returns the time of each upload since `begin`, in milliseconds, the shortest first */
  async finish(): Promise<number[]> {
    return times.parse(await this.#ask({}));
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  async #ask(order: { readonly enough?: number }): Promise<unknown> {
    const answered = once(this.#child, 'message');
    this.#child.send(order);
    const [answer] = await Promise.race([answered, this.#failed]);
    return answer;
  }
}

/** @returns the time that a share of all uploads took at most; the times must be sorted */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
}
