import type { IncomingMessage } from 'node:http';
import { clearTimeout, setTimeout } from '../lib/timers.ts';

/** Thrown when a request needs more memory than the budget has left, and none is freed in time. */
export class BudgetExhausted extends Error {
  override readonly name = 'BudgetExhausted';
}

/** The part of a {@link MemoryBudget} that one request holds. */
export interface MemoryShare {
  /**
   * Reserves memory. Call it before the allocation.
   * @returns undefined when the bytes are reserved; else a promise that resolves when they are
   * @throws BudgetExhausted, as a rejection, when there is no memory in time
   */
  grow(bytes: number): Promise<void> | undefined;
  /** Gives bytes back. */
  shrink(bytes: number): void;
  /** Gives everything back. Idempotent. */
  release(): void;
}

/** Limits of a {@link MemoryBudget}: sizes in bytes, times in milliseconds. */
export interface MemoryLimits {
  /** The limit for all requests together. */
  readonly total: number;
  /** What each request may hold in any case, so that ordinary requests still work when the total is reached. */
  readonly free: number;
  /** How long a request waits for memory. */
  readonly waitLimit: number;
  /** How many requests may wait: each holds up to 128 KiB that Node has already read and that are not counted. */
  readonly maxWaiting: number;
}

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

/** @returns the number of bytes in the headers of a request */
export function headerBytes({ rawHeaders, url = '' }: IncomingMessage): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, url.length);
}

/** Limits the memory of all requests whose signature is not checked yet. */
export class MemoryBudget {
  readonly #limits: MemoryLimits;
  readonly #waiting = new Set<Waiting>();
  #held = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  /** The number of bytes that all requests hold together. */
  get held(): number {
    return this.#held;
  }

  /** Opens the share of one request; it starts with 0 bytes. */
  open(): MemoryShare {
    let own = 0;
    let isReleased = false;
    const hold = (bytes: number): void => {
      own += bytes;
      this.#change(bytes);
    };
    return {
      grow: (bytes) => {
        if (isReleased) return undefined;
        if (own + bytes <= this.#limits.free || this.#hasRoom(bytes)) {
          hold(bytes);
          return undefined;
        }
        return this.#wait(bytes).then(() => {
          if (isReleased) this.#change(-bytes);
          else own += bytes;
        });
      },
      shrink: (bytes) => {
        if (!isReleased) hold(-bytes);
      },
      release: () => {
        isReleased = true;
        hold(-own);
      },
    };
  }

  /** False while another request waits, which goes first. */
  #hasRoom(bytes: number): boolean {
    return this.#waiting.size === 0 && this.#held + bytes <= this.#limits.total;
  }

  #change(bytes: number): void {
    this.#held += bytes;
    if (bytes < 0) this.#admitWaiting();
  }

  #admitWaiting(): void {
    for (const waiting of this.#waiting) {
      if (this.#held + waiting.bytes > this.#limits.total) return;
      this.#waiting.delete(waiting);
      this.#held += waiting.bytes;
      waiting.admit();
    }
  }

  #wait(bytes: number): Promise<void> {
    if (this.#waiting.size >= this.#limits.maxWaiting) return Promise.reject(this.#noRoom(bytes));
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        bytes,
        admit: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        reject(this.#noRoom(bytes));
        // A smaller reservation behind this one may fit now.
        this.#admitWaiting();
      }, this.#limits.waitLimit);
      this.#waiting.add(waiting);
    });
  }

  #noRoom(bytes: number): BudgetExhausted {
    const [waiting, held] = [this.#waiting.size, this.#held];
    return new BudgetExhausted(
      `no room for ${bytes} bytes: ${held} are held, ${waiting} requests wait`,
    );
  }
}
