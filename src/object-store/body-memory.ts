import { clearInterval, clearTimeout, setInterval, setTimeout } from '../lib/timers.ts';
import { StoreUnavailable } from '../uploads/unavailable.ts';

/** Memory that the bytes of one body may occupy while they are gathered and written. */
export interface MemoryLease {
  /** Called once at most, when other bodies need the memory: the gathered bytes should be written now. */
  onReclaim: (() => void) | undefined;
  readonly isReclaimed: boolean;
  /** All bytes are gathered, so the rest no longer depends on the client: the lease is not reclaimed any more. */
  endGathering(): void;
  /** Returns the memory. Idempotent. */
  release(): void;
}

/** While bodies wait for memory, a lease that is gathering at two checks in a row is reclaimed. */
const CHECK_INTERVAL_MS = 250;

interface Waiting {
  readonly bytes: number;
  readonly resolve: (lease: MemoryLease) => void;
  readonly refuse: (error: StoreUnavailable) => void;
}

/** A lease with the state that only `BodyMemory` uses. */
interface ActiveLease extends MemoryLease {
  isReclaimed: boolean;
  isGathering: boolean;
  /** It existed at the last check. */
  isOld: boolean;
}

/**
 * The memory for all bodies that are being gathered. When it is used up, bodies wait for it in the order of their
 * requests. A client that stops in the middle of a body cannot keep it: when others wait, its bytes are written to the
 * disk.
 */
export class BodyMemory {
  #free: number;
  readonly #patience: number | undefined;
  #waiting: Waiting[] = [];
  readonly #active = new Set<ActiveLease>();
  #checkTimer: NodeJS.Timeout | undefined;

  /**
   * @param bytes - the size of the memory; a larger lease is given when no other lease is active
   * @param patience - milliseconds that a body waits; absent: it waits as long as it takes
   */
  constructor(bytes: number, patience?: number) {
    this.#free = bytes;
    this.#patience = patience;
  }

  /** Waits until there is enough memory. @throws StoreUnavailable, as a rejection, when that takes too long */
  acquire(bytes: number): Promise<MemoryLease> {
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      return Promise.resolve(this.#createLease(bytes));
    }
    this.#checkTimer ??= setInterval(() => {
      this.#reclaim();
    }, CHECK_INTERVAL_MS);
    return new Promise((resolve, refuse) => {
      const waiting: Waiting = {
        bytes,
        resolve: (lease) => {
          clearTimeout(timer);
          resolve(lease);
        },
        refuse: (error) => {
          clearTimeout(timer);
          refuse(error);
        },
      };
      this.#waiting.push(waiting);
      const timer = this.#limitWait(waiting);
    });
  }

  /** Refuses all bodies that wait: the store stands still, so they would be gathered in vain. */
  refuseWaiting(error: StoreUnavailable): void {
    const refused = this.#waiting;
    this.#waiting = [];
    for (const { refuse } of refused) refuse(error);
    this.#serveWaiting();
  }

  #limitWait(waiting: Waiting): NodeJS.Timeout | undefined {
    if (this.#patience === undefined) return undefined;
    return setTimeout(() => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      waiting.refuse(new StoreUnavailable('bodies arrive faster than the store takes them'));
      // A smaller body behind it may fit.
      this.#serveWaiting();
    }, this.#patience);
  }

  #fits(bytes: number): boolean {
    return bytes <= this.#free || this.#active.size === 0;
  }

  #createLease(bytes: number): MemoryLease {
    this.#free -= bytes;
    const lease: ActiveLease = {
      onReclaim: undefined,
      isReclaimed: false,
      isGathering: true,
      isOld: false,
      endGathering: () => {
        lease.isGathering = false;
      },
      release: () => {
        if (!this.#active.delete(lease)) return;
        this.#free += bytes;
        this.#serveWaiting();
      },
    };
    this.#active.add(lease);
    return lease;
  }

  #serveWaiting(): void {
    let served = 0;
    for (const { bytes, resolve } of this.#waiting) {
      if (!this.#fits(bytes)) break;
      served += 1;
      resolve(this.#createLease(bytes));
    }
    if (served > 0) this.#waiting = this.#waiting.slice(served);
    if (this.#waiting.length > 0) return;
    clearInterval(this.#checkTimer);
    this.#checkTimer = undefined;
  }

  #reclaim(): void {
    for (const lease of this.#active) {
      if (lease.isGathering && lease.isOld && !lease.isReclaimed) {
        lease.isReclaimed = true;
        lease.onReclaim?.();
      }
      lease.isOld = true;
    }
  }
}

/** How many bytes each of many may have: fewer for each, the more there are. */
export interface ShareLimits {
  readonly max: number;
  /** Each has this number of bytes, even if together they exceed `total`. */
  readonly min: number;
  /** For all together. */
  readonly total: number;
}

/** @returns how many bytes each of `count` may have */
export function share({ max, min, total }: ShareLimits, count: number): number {
  return Math.min(max, Math.max(min, Math.floor(total / Math.max(1, count))));
}
