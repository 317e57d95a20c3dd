import type { Fault, FaultPlan, FaultSubject } from './fault-plan.ts';
import { FaultSpecError, readFaultSpec, readScope, splitFaultJson } from './fault-spec.ts';
import type { FaultCatalog, FaultSpec, FaultScope } from './fault-spec.ts';
import { matchesGlob } from './glob.ts';

/** An injected fault, as `list` returns it; can be written as JSON. */
export interface ActiveFault {
  /** The id for `cancel`. */
  readonly id: number;
  readonly operation: string;
  readonly fault: Fault;
  /** How many more requests will fail by it; absent when there is no limit. */
  readonly times?: number;
  readonly key?: string;
  readonly rate?: number;
  readonly seed?: number;
  /** How many requests have failed by it. */
  readonly taken: number;
}

/** Error codes by operation. */
export type CodesByOperation = Readonly<Record<string, string>>;

/** The injected faults of a gateway, oldest first. `Codes` has the error codes of each operation. */
export interface Faults<Codes extends object = CodesByOperation> {
  /**
   * Makes the next request of an operation fail, or the next `times` requests.
   *
   *     gateway.faults.next('GenerateOTAUploadURL', { code: 'Throttling.User' });
   *     gateway.faults.next('PostObject', { resetAfter: 1024 }, { times: 3, key: '*.zip' });
   * @returns an id for `cancel`
   * @throws FaultSpecError for a fault that does not exist; the message lists those that do
   */
  next<Operation extends keyof Codes & string>(
    operation: Operation,
    spec: FaultSpec<Codes[Operation] & string>,
    scope?: Omit<FaultScope, 'rate' | 'seed'>,
  ): number;
  /** Makes every request in the scope fail until the fault is canceled. Otherwise as `next`. */
  always<Operation extends keyof Codes & string>(
    operation: Operation,
    spec: FaultSpec<Codes[Operation] & string>,
    scope?: FaultScope,
  ): number;
  /**
   * Injects a fault that is given as JSON: `operation`, the fault and its scope in one object. The fault is for one
   * request, unless it has `times` or a `rate`. Otherwise as `next`.
   * @throws FaultSpecError also while 1000 faults are active
   */
  inject(json: unknown): number;
  /** @returns the faults that are still active. */
  list(): ActiveFault[];
  /** Removes a fault. @returns false when no active fault has this id */
  cancel(id: number): boolean;
  /** Removes all faults. */
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

/** Keeps the faults of one gateway. When several match a request, the oldest one is used. */
export class FaultRegistry<Codes extends object = CodesByOperation>
  implements Faults<Codes>, FaultPlan
{
  readonly #catalog: FaultCatalog;
  #entries: Entry[] = [];
  #lastId = 0;

  constructor(catalog: FaultCatalog) {
    this.#catalog = catalog;
  }

  next<Operation extends keyof Codes & string>(
    operation: Operation,
    spec: FaultSpec<Codes[Operation] & string>,
    scope: FaultScope = {},
  ): number {
    return this.#add(operation, spec, { times: 1, ...scope });
  }

  always<Operation extends keyof Codes & string>(
    operation: Operation,
    spec: FaultSpec<Codes[Operation] & string>,
    scope: FaultScope = {},
  ): number {
    return this.#add(operation, spec, scope);
  }

  #add(operation: string, spec: unknown, scope: unknown): number {
    const fault = readFaultSpec(this.#catalog, operation, spec);
    const read = readScope(this.#catalog, operation, scope);
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

  inject(json: unknown): number {
    const { operation, scope, spec } = splitFaultJson(json);
    if (this.#entries.length >= MAX_FAULTS) {
      throw new FaultSpecError(`there are ${MAX_FAULTS} faults already; cancel some`);
    }
    const isOnce = scope.times === undefined && scope.rate === undefined;
    return this.#add(operation, spec, isOnce ? { ...scope, times: 1 } : scope);
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
    const entry = this.#entries.find((each) => matches(each, subject));
    if (entry === undefined) return undefined;
    entry.taken += 1;
    entry.left -= 1;
    if (entry.left === 0) this.cancel(entry.id);
    return entry.fault;
  }
}

const DEFAULT_SEED = 1;
/** Each request is compared with all faults, so the number of those from outside the process is limited. */
const MAX_FAULTS = 1000;

function matches({ draw, operation, scope }: Entry, subject: FaultSubject): boolean {
  if (operation !== subject.operation) return false;
  if (scope.key !== undefined && !matchesKey(scope.key, subject.key ?? '')) return false;
  return draw === undefined || draw() < (scope.rate ?? 1);
}

/** Uses `search`, because `test` of a global expression keeps a position between calls. */
function matchesKey(wanted: string | RegExp, key: string): boolean {
  return wanted instanceof RegExp ? key.search(wanted) !== -1 : matchesGlob(wanted, key);
}

/** Makes a generator of pseudo-random numbers from 0 to 1, the same for the same seed: mulberry32. */
function seededNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
