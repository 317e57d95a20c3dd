import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import { ACCOUNT_KEY } from '../../support/built-gateway.ts';

const measured = z.object({
  /** The times of all requests, in milliseconds, the shortest first: kind of request -> times. */
  times: z.record(z.string(), z.array(z.number())),
  /** The first errors. */
  failures: z.array(z.string()),
});

/** The outcome of signed work. */
export type Measured = z.infer<typeof measured>;

const children = new Set<ChildProcess>();

/** Ends processes that a failed test has left running. */
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process that signs, uploads, claims, downloads and deletes at a steady rate. */
export class SteadyClient {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(url: string): Promise<SteadyClient> {
    const player = join(__dirname, 'steady-player.js');
    const child = fork(player, [url, ACCOUNT_KEY.id, ACCOUNT_KEY.secret]);
    children.add(child);
    await once(child, 'message');
    return new SteadyClient(child);
  }

  /** Begins to work, and continues until `finish`. */
  begin(): void {
    this.#child.send('begin');
  }

  /** Waits for the work in progress. @returns the outcome since `begin` */
  async finish(): Promise<Measured> {
    const answered = once(this.#child, 'message');
    this.#child.send('finish');
    const [answer] = await answered;
    return measured.parse(answer);
  }

  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
