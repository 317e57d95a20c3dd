import type { IncomingMessage } from 'node:http';

/** There is no room for what a request would have to hold in memory, and none came up in time. */
export class BudgetExhausted extends Error {
  override readonly name = 'BudgetExhausted';
}

/** What one request takes of a {@link MemoryBudget}. */
export interface MemoryShare {
  /**
   * Takes room for more bytes; to be called before they are allocated.
   * @returns undefined when they may be held at once; else a promise that resolves when they may
   * @throws BudgetExhausted, as a rejection, when there is no room in time
   */
  grow(bytes: number): Promise<void> | undefined;
  /** Gives room back. */
  shrink(bytes: number): void;
  /** Gives everything back. Idempotent. */
  release(): void;
}

/** Sizes in bytes, times in milliseconds. */
export interface MemoryLimits {
  /** What all requests together may hold. */
  readonly total: number;
  /** What each may hold in any case, so that ordinary requests go on while the rest is used up. */
  readonly free: number;
  /** How long a request waits for room. */
  readonly waitLimit: number;
}

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

/** @returns how many bytes the headers of a request have */
export function headerBytes({ rawHeaders, url = '' }: IncomingMessage): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, url.length);
}

/** Memory that requests share as long as it is not known who sent them. */
export class MemoryBudget {
  readonly #limits: MemoryLimits;
  readonly #waiting = new Set<Waiting>();
  #held = 0;

  constructor(limits: MemoryLimits) {
    this.#limits = limits;
  }

  /** How many bytes are held by all requests together. */
  get held(): number {
    return this.#held;
  }

  /** Opens the share of one request, which holds nothing yet. */
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

  /** Who waits already goes first. */
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
        reject(new BudgetExhausted(`no room for ${bytes} bytes: ${this.#held} are held`));
        // A smaller one may have waited behind it.
        this.#admitWaiting();
      }, this.#limits.waitLimit);
      this.#waiting.add(waiting);
    });
  }
}
