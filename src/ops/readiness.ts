import type { Clock } from '../lib/clock.ts';
import { isDiskFull } from '../lib/errno.ts';
import type { Logger } from '../lib/logger.ts';

/** Why the gateway cannot serve signed calls. */
export interface ReadinessProblem {
  /** For programs. */
  readonly reason: 'diskFull' | 'ledgerUnusable';
  readonly message: string;
}

/** How long a result is valid in milliseconds. Anybody may ask, and a check writes to the disk. */
const VALID_MS = 1000;

/** Checks whether the gateway can serve signed calls. Logs each change. */
export class Readiness {
  readonly #check: () => Promise<void>;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #result: Promise<ReadinessProblem | undefined> = Promise.resolve(undefined);
  #checkedAt = -Infinity;
  #wasReady = true;

  /**
   * @param check - rejects when a signed call cannot be recorded
   * @param clock - measures real time
   */
  constructor(check: () => Promise<void>, logger: Logger, clock: Clock) {
    this.#check = check;
    this.#logger = logger;
    this.#clock = clock;
  }

  /** @returns undefined when the gateway is ready; the result is at most a second old */
  findProblem(): Promise<ReadinessProblem | undefined> {
    const now = this.#clock.now();
    if (now - this.#checkedAt >= VALID_MS) {
      this.#checkedAt = now;
      this.#result = this.#run();
    }
    return this.#result;
  }

  async #run(): Promise<ReadinessProblem | undefined> {
    try {
      await this.#check();
      if (!this.#wasReady) this.#logger.info({}, 'ready again');
      this.#wasReady = true;
      return undefined;
    } catch (error) {
      if (this.#wasReady) this.#logger.error({ err: error }, 'not ready');
      this.#wasReady = false;
      return explain(error);
    }
  }
}

function explain(error: unknown): ReadinessProblem {
  if (isDiskFull(error)) {
    const message =
      'The disk of the data folder is full, so signed calls and uploads are refused. Free some space, or lower minFree ' +
      '(OTA_GATEWAY_MIN_FREE); the log has the figures.';
    return { reason: 'diskFull', message };
  }
  const message =
    'The ledger cannot be written, so signed calls and uploads are refused. The log says why.';
  return { reason: 'ledgerUnusable', message };
}
