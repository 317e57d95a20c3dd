import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { setImmediate } from '../lib/timers.ts';
import { sha256Hex } from '../signatures/digests.ts';
import type { RefusalGroup, RefusalGroupQuery } from './refusal-groups.ts';
import type { RefusalReason } from './refusal-reason.ts';
import type { RefusalRecord, RefusalReporter } from './refusal-record.ts';

/** Which refusals to list, newest first. */
export interface RefusalQuery {
  /** Absent: those of all accounts. */
  readonly account?: string;
  readonly reason?: RefusalReason;
  readonly code?: string;
  readonly operation?: string;
  readonly key?: string;
  /** Only older ones than this sequence. */
  readonly before?: number;
  readonly limit: number;
}

/** A refusal with its position. */
export interface ListedRefusal {
  readonly sequence: number;
  readonly refusal: RefusalRecord;
}

/** Refused requests that are like an earlier one. */
export interface RefusalRepeat {
  /** The earlier one. */
  readonly of: string;
  readonly count: number;
  /** Those of the last ones, at most 20. */
  readonly requestIds: readonly string[];
}

/** Keeps refusals. */
export interface RefusalStore {
  /** Adds new refusals, and counts those that are like an earlier one. */
  add(refusals: readonly RefusalRecord[], repeats: readonly RefusalRepeat[]): Promise<void>;
  /**
   * Finds a refusal.
   * @param requestId - of the request, or of one that was refused like it
   */
  find(requestId: string): Promise<RefusalRecord | undefined>;
  /** @returns those that match, newest first */
  list(query: RefusalQuery): Promise<ListedRefusal[]>;
  /** @returns groups of those that match, those with the newest first */
  groups(query: RefusalGroupQuery): Promise<RefusalGroup[]>;
  /**
   * Removes refusals older than a time, and the signatures of those older than another time. Keeps at most `keep` of those
   * that belong to accounts, of which each account has an equal share, and at most `keep` of those that belong to none: so
   * neither strangers nor another account push out those of an account.
   */
  prune(limits: {
    readonly before: number;
    readonly keep: number;
    readonly signaturesBefore: number;
  }): Promise<void>;
}

/** Reads the refusals that are kept. */
export type RefusalReader = Pick<RefusalStore, 'find' | 'list' | 'groups'>;

/** Requests that are refused alike within this time are one refusal with a count. */
const FOLD_MS = 60_000;
const MAX_FOLDS = 1000;
/** New refusals in a second that are kept of each account, and of strangers; the rest is only counted. */
const MAX_A_SECOND = 20;
const SECOND_MS = 1000;
/** How often old refusals are removed while new ones are written: not only by the purge, which may fail or be off. */
const PRUNE_MS = 60_000;

interface Fold {
  readonly requestId: string;
  readonly since: number;
  /** Not written yet. */
  count: number;
  requestIds: string[];
}

/** Ids that are kept of requests that were refused like another one. */
const MAX_IDS = 20;

/**
 * Writes refusals behind the responses: nothing waits for it, and nothing is flushed for it. A stranger can cause any
 * number of refusals, so that equal ones are folded, and only some of the others are kept.
 */
export class RefusalJournal implements RefusalReporter {
  readonly #store: RefusalStore;
  readonly #logger: Logger;
  readonly #monotonic: Clock;
  readonly #prune: () => Promise<void>;
  readonly #folds = new Map<string, Fold>();
  #refusals: Promise<RefusalRecord>[] = [];
  readonly #repeated = new Set<Fold>();
  #writing: Promise<void> = Promise.resolve();
  #isScheduled = false;
  #second = { since: 0, kept: new Map<string | undefined, number>() };
  #leftOut = 0;
  #prunedAt = -Infinity;

  /** @param prune - removes what is too old, or too much */
  constructor(
    store: RefusalStore,
    logger: Logger,
    monotonic: Clock,
    prune: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#store = store;
    this.#logger = logger;
    this.#monotonic = monotonic;
    this.#prune = prune;
  }

  /** How many refusals were not kept since the start, because there were too many at once. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** @param find - returns the refusal as it is kept, with its account; it is called only if it is kept, and must not reject */
  report(
    refusal: RefusalRecord,
    find: () => Promise<RefusalRecord> = () => Promise.resolve(refusal),
  ): boolean {
    const now = this.#monotonic.now();
    const like = foldKey(refusal);
    const fold = this.#folds.get(like);
    const { requestId } = refusal;
    if (fold !== undefined && now - fold.since < FOLD_MS) {
      fold.count += 1;
      fold.requestIds.push(requestId);
      if (fold.requestIds.length > MAX_IDS) fold.requestIds.shift();
      this.#repeated.add(fold);
    } else {
      if (!this.#hasRoom(now, refusal.account)) return false;
      this.#folds.delete(like);
      const [oldest] = this.#folds.keys();
      if (this.#folds.size >= MAX_FOLDS && oldest !== undefined) this.#folds.delete(oldest);
      this.#folds.set(like, { requestId, since: now, count: 0, requestIds: [] });
      this.#refusals.push(find());
    }
    this.#schedule();
    return true;
  }

  /** Resolves when everything that was reported so far is written. */
  async settled(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  /** Reads what is kept, also what is not written yet. */
  readonly reader: RefusalReader = {
    find: async (requestId) => {
      await this.settled();
      return this.#store.find(requestId);
    },
    list: async (query) => {
      await this.settled();
      return this.#store.list(query);
    },
    groups: async (query) => {
      await this.settled();
      return this.#store.groups(query);
    },
  };

  /** @param account - undefined: strangers, and requests to OSS, which name none */
  #hasRoom(now: number, account: string | undefined): boolean {
    if (now - this.#second.since >= SECOND_MS) this.#second = { since: now, kept: new Map() };
    const kept = (this.#second.kept.get(account) ?? 0) + 1;
    this.#second.kept.set(account, kept);
    if (kept <= MAX_A_SECOND) return true;
    this.#leftOut += 1;
    return false;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#write();
    });
  }

  #write(): void {
    this.#isScheduled = false;
    const refusals = this.#refusals;
    const repeats = Array.from(this.#repeated, takeRepeats);
    if (refusals.length + repeats.length === 0) return;
    this.#refusals = [];
    this.#repeated.clear();
    // One after the other, so that a repeat does not come before the refusal that it repeats.
    this.#writing = this.#writing.then(() => this.#add(refusals, repeats));
  }

  async #add(
    refusals: readonly Promise<RefusalRecord>[],
    repeats: readonly RefusalRepeat[],
  ): Promise<void> {
    try {
      await this.#store.add(await Promise.all(refusals), repeats);
      await this.#pruneSometimes();
    } catch (error) {
      this.#logger.debug({ err: error }, 'could not keep refusals');
    }
  }

  async #pruneSometimes(): Promise<void> {
    const now = this.#monotonic.now();
    if (now - this.#prunedAt < PRUNE_MS) return;
    this.#prunedAt = now;
    await this.#prune();
  }
}

/** @returns what is not written yet of a fold */
function takeRepeats(fold: Fold): RefusalRepeat {
  const { count, requestId: of, requestIds } = fold;
  fold.count = 0;
  fold.requestIds = [];
  return { of, count, requestIds };
}

/** Evidence that differs each time that a client sends the same again. */
const CHANGING = new Set([
  ...['SignatureNonce', 'Timestamp', 'date', 'RequestTime', 'ServerTime'],
  ...['FirstRequestId', 'FirstUsedAt'],
]);
/** It does as well for a call of the IoT API, which signs its nonce. */
const CHANGING_IN_CALLS = new Set([...CHANGING, 'signature', 'stringToSign']);

/** @returns the same text for refusals with the same evidence */
function foldKey({
  accessKeyId,
  code,
  dialect,
  evidence,
  key,
  message,
  operation,
  peer,
  reason,
}: RefusalRecord): string {
  const changing = dialect === 'iot' ? CHANGING_IN_CALLS : CHANGING;
  // The message may tell a time, or how long to wait.
  const text = dialect === 'oss' ? message : message.replace(/\d+/g, '0');
  const like = [dialect, operation, reason, peer, accessKeyId, code, key, text, evidence];
  return sha256Hex(
    JSON.stringify(like, (name, value: unknown) => (changing.has(name) ? undefined : value)),
  );
}
