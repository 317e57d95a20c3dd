import type { MemoryShare } from './memory-budget.ts';

const MIN_CAPACITY = 256;
/**
 * What one byte that was read counts in the budget. Beside it, the process holds bytes that wait to be read, garbage
 * that is not collected yet, and freed memory that is not returned to the system; decision 0017 has the measurements.
 */
export const COST = 6;

/**
 * Collects bytes that arrive in pieces of any size. Copies them into one buffer that doubles when it is full: a
 * separate buffer for each piece costs far more than its bytes, and a slice keeps its whole original buffer in memory.
 */
export class GrowingBuffer {
  readonly #share: MemoryShare;
  readonly #maxBytes: number;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  /**
   * @param share - counts the memory of the buffer before it is allocated
   * @param maxBytes - the most bytes that will be appended
   */
  constructor(share: MemoryShare, maxBytes: number) {
    this.#share = share;
    this.#maxBytes = maxBytes;
  }

  /** The number of bytes appended. */
  get length(): number {
    return this.#length;
  }

  /**
   * Appends a piece.
   * @returns undefined when that is done; else a promise that resolves when it is
   * @throws BudgetExhausted, as a rejection
   */
  append(piece: Uint8Array): Promise<void> | undefined {
    const length = this.#length + piece.length;
    if (length <= this.#bytes.length) {
      this.#put(piece);
      return undefined;
    }
    const doubled = Math.min(2 * this.#bytes.length, this.#maxBytes);
    const capacity = Math.max(length, doubled, MIN_CAPACITY);
    const wait = this.#share.grow(COST * capacity);
    if (wait === undefined) {
      this.#moveTo(capacity, piece);
      return undefined;
    }
    return wait.then(() => {
      this.#moveTo(capacity, piece);
    });
  }

  /** @returns the appended bytes; valid until the next `append` */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Empties the buffer. Keeps its memory for the next bytes. */
  clear(): void {
    this.#length = 0;
  }

  #moveTo(capacity: number, piece: Uint8Array): void {
    const old = this.#bytes;
    this.#bytes = Buffer.allocUnsafe(capacity);
    old.copy(this.#bytes, 0, 0, this.#length);
    this.#share.shrink(COST * old.length);
    this.#put(piece);
  }

  #put(piece: Uint8Array): void {
    this.#bytes.set(piece, this.#length);
    this.#length += piece.length;
  }
}
