import type { Clock } from '../lib/clock.ts';
import { toUtc } from '../lib/dates.ts';
import { isDiskFull } from '../lib/errno.ts';
import type { Logger } from '../lib/logger.ts';
import { clearTimeout, setTimeout } from '../lib/timers.ts';

/** Why the gateway cannot serve signed calls. */
export interface ReadinessProblem {
  /** For programs. */
  readonly reason: 'diskFull' | 'ledgerUnusable' | 'storeUnusable' | 'clockDiffers' | 'stopping';
  readonly message: string;
}

/** Whether the gateway can serve. */
export interface ReadinessReport {
  /** Undefined when it can. */
  readonly problem: ReadinessProblem | undefined;
  /** Refused when less of the disk is free than uploads must leave; claims and downloads go on. */
  readonly uploads: 'accepted' | 'refused: disk';
  /** The state of a store in the network; undefined when the bodies are on a disk. */
  readonly store?: string;
}

/** What is checked. Each function rejects when that part does not work; with the code `ENOSPC` when the disk is full. */
export interface ReadinessChecks {
  /** Rejects when a signed call cannot be recorded. */
  ledger(): Promise<void>;
  /** Rejects when a body cannot be written. */
  store(): Promise<void>;
  /** Since when a store in the network fails, in Unix milliseconds. Absent: it is on a disk. */
  failingSince?(): number | undefined;
  /** Rejects when the clock differs too much from that of the ledger. Absent: they are the same. */
  clock?(): Promise<void>;
}

const STOPPING: ReadinessReport = {
  problem: { reason: 'stopping', message: 'The gateway is stopping.' },
  uploads: 'accepted',
};

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
  #isStopping = false;

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
    if (this.#isStopping) return Promise.resolve(STOPPING);
    const now = this.#clock.now();
    if (now - this.#checkedAt >= VALID_MS) {
      this.#checkedAt = now;
      this.#result = this.#run();
    }
    return this.#result;
  }

  /** From now on it is not ready, so that a balancer sends no more requests. */
  stop(): void {
    this.#isStopping = true;
  }

  async #run(): Promise<ReadinessReport> {
    const [ledger, store, clock] = await Promise.all([
      outcomeOf(this.#checks.ledger(), this.#limit),
      outcomeOf(this.#checks.store(), this.#limit),
      outcomeOf(clockOf(this.#checks), this.#limit),
    ]);
    const isFull = store !== undefined && isDiskFull(store.error);
    const failure = ledger ?? (isFull ? undefined : store) ?? clock;
    this.#log(failure?.error);
    return {
      problem: failure && explain(failure.error, nameOf(failure, { ledger, clock })),
      uploads: isFull ? 'refused: disk' : 'accepted',
      ...describeStore(this.#checks),
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

async function clockOf(checks: ReadinessChecks): Promise<void> {
  await checks.clock?.();
}

function nameOf(
  failure: object,
  { clock, ledger }: { readonly clock: object | undefined; readonly ledger: object | undefined },
): 'ledger' | 'clock' | 'store' {
  if (failure === ledger) return 'ledger';
  return failure === clock ? 'clock' : 'store';
}

function describeStore(checks: ReadinessChecks): { store?: string } {
  if (checks.failingSince === undefined) return {};
  const since = checks.failingSince();
  return { store: since === undefined ? 'ok' : `failing since ${toUtc(since)}` };
}

function explain(error: unknown, part: 'ledger' | 'store' | 'clock'): ReadinessProblem {
  if (isDiskFull(error)) {
    const message =
      'The disk of the data folder is full, so signed calls and uploads are refused. Free some space, or lower minFree ' +
      '(OTA_GATEWAY_MIN_FREE); the log has the figures.';
    return { reason: 'diskFull', message };
  }
  if (part === 'clock') {
    const message =
      'The clock of this gateway differs by more than 10 seconds from that of the ledger. Set both by a time service.';
    return { reason: 'clockDiffers', message };
  }
  if (part === 'store') {
    const message = 'The bodies of uploads cannot be written. The log says why.';
    return { reason: 'storeUnusable', message };
  }
  const message =
    'The ledger cannot be written, so signed calls and uploads are refused. The log says why.';
  return { reason: 'ledgerUnusable', message };
}
