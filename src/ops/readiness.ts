import type { Clock } from '../lib/clock.ts';
import { isDiskFull } from '../lib/errno.ts';
import type { Logger } from '../lib/logger.ts';
import { clearTimeout, setTimeout } from '../lib/timers.ts';

/** Why the gateway cannot serve signed calls. */
export interface ReadinessProblem {
  /** For programs. */
  readonly reason: 'diskFull' | 'ledgerUnusable' | 'storeUnusable';
  readonly message: string;
}

/** Whether the gateway can serve. */
export interface ReadinessReport {
  /** Undefined when it can. */
  readonly problem: ReadinessProblem | undefined;
  /** Refused when less of the disk is free than uploads must leave; claims and downloads go on. */
  readonly uploads: 'accepted' | 'refused: disk';
}

/** What is checked. Each function rejects when that part does not work; with the code `ENOSPC` when the disk is full. */
export interface ReadinessChecks {
  /** Rejects when a signed call cannot be recorded. */
  ledger(): Promise<void>;
  /** Rejects when a body cannot be written. */
  store(): Promise<void>;
}

/** How long a result is valid in milliseconds. Anybody may ask, and a check writes to the disk. */
const VALID_MS = 1000;

/** A check that takes longer has failed, in milliseconds. A disk that does not respond may block it for minutes. */
const LIMIT_MS = 3000;

/** Checks whether the gateway can serve signed calls. Logs each change. */
export class Readiness {
  readonly #checks: ReadinessChecks;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #limit: number;
  #result: Promise<ReadinessReport> = Promise.resolve({ problem: undefined, uploads: 'accepted' });
  #checkedAt = -Infinity;
  #wasReady = true;

  /**
   * @param clock - measures real time
   * @param limit - how long a check may take, in milliseconds
   */
  constructor(checks: ReadinessChecks, logger: Logger, clock: Clock, limit = LIMIT_MS) {
    this.#checks = checks;
    this.#logger = logger;
    this.#clock = clock;
    this.#limit = limit;
  }

  /** @returns a report that is at most a second old */
  report(): Promise<ReadinessReport> {
    const now = this.#clock.now();
    if (now - this.#checkedAt >= VALID_MS) {
      this.#checkedAt = now;
      this.#result = this.#run();
    }
    return this.#result;
  }

  async #run(): Promise<ReadinessReport> {
    const [ledger, store] = await Promise.all([
      outcomeOf(this.#checks.ledger(), this.#limit),
      outcomeOf(this.#checks.store(), this.#limit),
    ]);
    const isFull = store !== undefined && isDiskFull(store.error);
    const failure = ledger ?? (isFull ? undefined : store);
    this.#log(failure?.error);
    return {
      problem: failure && explain(failure.error, ledger === undefined ? 'store' : 'ledger'),
      uploads: isFull ? 'refused: disk' : 'accepted',
    };
  }

  #log(error: unknown): void {
    const isReady = error === undefined;
    if (isReady && !this.#wasReady) this.#logger.info({}, 'ready again');
    if (!isReady && this.#wasReady) this.#logger.error({ err: error }, 'not ready');
    this.#wasReady = isReady;
  }
}

/** @returns undefined when a check has succeeded in time */
async function outcomeOf(
  check: Promise<void>,
  limit: number,
): Promise<{ readonly error: unknown } | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`a check took more than ${limit} ms`));
    }, limit);
  });
  try {
    await Promise.race([check, timeout]);
    return undefined;
  } catch (error) {
    return { error };
  } finally {
    clearTimeout(timer);
  }
}

function explain(error: unknown, part: 'ledger' | 'store'): ReadinessProblem {
  if (isDiskFull(error)) {
    const message =
      'The disk of the data folder is full, so signed calls and uploads are refused. Free some space, or lower minFree ' +
      '(OTA_GATEWAY_MIN_FREE); the log has the figures.';
    return { reason: 'diskFull', message };
  }
  if (part === 'store') {
    const message = 'The bodies of uploads cannot be written. The log says why.';
    return { reason: 'storeUnusable', message };
  }
  const message =
    'The ledger cannot be written, so signed calls and uploads are refused. The log says why.';
  return { reason: 'ledgerUnusable', message };
}
