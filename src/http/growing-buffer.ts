import type { MemoryShare } from './memory-budget.ts';

const LEAST_BYTES = 256;
/**
 * What a byte that was read counts. Beside it the process holds what came after it and waits, garbage that is not
 * collected yet, and memory that was freed but not given back: by so much a thousand full connections let it grow.
 */
export const COST = 4;

/**
 * Gathers bytes that come in pieces of any size. They are copied into one buffer that grows by doubling, because a piece
 * by itself costs far more than its bytes, and a slice keeps all of the buffer that it was cut from.
 */
export class GrowingBuffer {
  readonly #share: MemoryShare;
  readonly #most: number;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  /**
   * @param share - takes what the buffer holds, before it is allocated
   * @param most - bytes that will be appended at most
   */
  constructor(share: MemoryShare, most: number) {
    this.#share = share;
    this.#most = most;
  }

  /** How many bytes were appended. */
  get length(): number {
    return this.#length;
  }

  /**
   * @returns undefined when the piece is in; else a promise that resolves when it is
   * @throws BudgetExhausted, as a rejection
   */
  append(piece: Uint8Array): Promise<void> | undefined {
    const length = this.#length + piece.length;
    if (length <= this.#bytes.length) {
      this.#put(piece);
      return undefined;
    }
    const doubled = Math.min(2 * this.#bytes.length, this.#most);
    const capacity = Math.max(length, doubled, LEAST_BYTES);
    const wait = this.#share.grow(COST * capacity);
    if (wait === undefined) {
      this.#moveTo(capacity, piece);
      return undefined;
    }
    return wait.then(() => {
      this.#moveTo(capacity, piece);
    });
  }

  /** @returns what was appended; valid until the next piece */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was appended, and keeps the memory for what comes next. */
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
