import type { Fault, FaultPlan, FaultSubject } from './fault-plan.ts';
import { FaultOrderError, readOrder, readScope, splitOrder } from './fault-spec.ts';
import type { FaultCatalog, FaultSpec, FaultScope } from './fault-spec.ts';
import { matchesGlob } from './glob.ts';

/** A fault that is ordered, as `list` shows it; fit for JSON. */
export interface ActiveFault {
  /** Cancels it. */
  readonly id: number;
  readonly operation: string;
  readonly fault: Fault;
  /** How many requests it is still for; absent when it is for every one. */
  readonly times?: number;
  readonly key?: string;
  readonly rate?: number;
  readonly seed?: number;
  /** How many requests have failed by it. */
  readonly taken: number;
}

/** Faults in the order they were asked for. */
export interface Faults {
  /**
   * Lets the next request fail, or as many as `times` says.
   *
   *     gateway.faults.next('GenerateOTAUploadURL', { code: 'Throttling.User' });
   *     gateway.faults.next('PostObject', { resetAfter: 1024 }, { times: 3, key: '*.zip' });
   * @returns an id for `cancel`
   * @throws FaultOrderError for what cannot be ordered; its message lists what can
   */
  next(operation: string, order: FaultSpec, scope?: Omit<FaultScope, 'rate' | 'seed'>): number;
  /** Lets every request fail, or every one that is in the scope, until the fault is cancelled. Otherwise as `next`. */
  always(operation: string, order: FaultSpec, scope?: FaultScope): number;
  /**
   * Takes an order as JSON has it: `operation`, the fault and its scope in one object. It is for one request, unless
   * it has `times` or a `rate`. Otherwise as `next`.
   * @throws FaultOrderError also while a thousand faults are ordered
   */
  order(json: unknown): number;
  /** @returns the faults that are still ordered. */
  list(): ActiveFault[];
  /** Takes an order back. @returns false when there is none with this id (any more) */
  cancel(id: number): boolean;
  /** Takes all orders back. */
  clear(): void;
}

interface Entry {
  readonly id: number;
  readonly operation: string;
  readonly fault: Fault;
  readonly scope: FaultScope;
  readonly draw: (() => number) | undefined;
  left: number;
  taken: number;
}

/** Keeps the faults of one gateway. Of several that fit a request, the one that was ordered first is taken. */
export class FaultRegistry implements Faults, FaultPlan {
  readonly #catalog: FaultCatalog;
  #entries: Entry[] = [];
  #lastId = 0;

  constructor(catalog: FaultCatalog) {
    this.#catalog = catalog;
  }

  next(operation: string, order: FaultSpec, scope: FaultScope = {}): number {
    return this.#add(operation, order, { times: 1, ...scope });
  }

  always(operation: string, order: FaultSpec, scope: FaultScope = {}): number {
    return this.#add(operation, order, scope);
  }

  #add(operation: string, order: unknown, scope: unknown): number {
    const fault = readOrder(this.#catalog, operation, order);
    const read = readScope(operation, scope);
    const { rate, seed, times } = read;
    const id = ++this.#lastId;
    this.#entries.push({
      id,
      operation,
      fault,
      scope: read,
      draw: rate === undefined ? undefined : seededNumbers(seed ?? DEFAULT_SEED),
      left: times ?? Infinity,
      taken: 0,
    });
    return id;
  }

  order(json: unknown): number {
    const { operation, order, scope } = splitOrder(json);
    if (this.#entries.length >= MAX_FAULTS) {
      throw new FaultOrderError(`there are ${MAX_FAULTS} faults already; cancel some`);
    }
    const isOnce = scope.times === undefined && scope.rate === undefined;
    return this.#add(operation, order, isOnce ? { ...scope, times: 1 } : scope);
  }

  list(): ActiveFault[] {
    return this.#entries.map(({ fault, id, left, operation, scope, taken }) => ({
      id,
      operation,
      fault,
      ...(left !== Infinity && { times: left }),
      ...(scope.key !== undefined && { key: String(scope.key) }),
      ...(scope.rate !== undefined && { rate: scope.rate, seed: scope.seed ?? DEFAULT_SEED }),
      taken,
    }));
  }

  cancel(id: number): boolean {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter((entry) => entry.id !== id);
    return this.#entries.length < before;
  }

  clear(): void {
    this.#entries = [];
  }

  take(subject: FaultSubject): Fault | undefined {
    const entry = this.#entries.find((each) => fits(each, subject));
    if (entry === undefined) return undefined;
    entry.taken += 1;
    entry.left -= 1;
    if (entry.left === 0) this.cancel(entry.id);
    return entry.fault;
  }
}

const DEFAULT_SEED = 1;
/** Each request is compared with all of them, so those that come from outside the process have a bound. */
const MAX_FAULTS = 1000;

function fits({ draw, operation, scope }: Entry, subject: FaultSubject): boolean {
  if (operation !== subject.operation) return false;
  if (scope.key !== undefined && !fitsKey(scope.key, subject.key ?? '')) return false;
  return draw === undefined || draw() < (scope.rate ?? 1);
}

/** `search` of an expression keeps no state, unlike `test` of a global one. */
function fitsKey(wanted: string | RegExp, key: string): boolean {
  return wanted instanceof RegExp ? key.search(wanted) !== -1 : matchesGlob(wanted, key);
}

/** Numbers from 0 to 1 that look random and are the same for the same seed: mulberry32. */
function seededNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
