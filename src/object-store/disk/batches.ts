import type { FileHandle } from 'node:fs/promises';
import type { Loan } from './body-memory.ts';

/** Chunks that are written at once. */
export interface Batch {
  readonly chunks: readonly Uint8Array[];
  /** In bytes. */
  readonly size: number;
  /** Nothing of the body comes behind it. */
  readonly isLast: boolean;
  /** Lets go of its bytes: whoever has the batch may have it for hours. Idempotent. */
  readonly release: () => void;
}

/** A chunk keeps the memory that it is a part of; it may be so much more than the chunk itself before it is copied. */
const MOST_HELD = 8 / 7;
/** Smaller chunks are copied: each would cost an object of its own. */
const SMALL_CHUNK_BYTES = 4096;
const LARGEST_BLOCK_BYTES = 64 * 1024;

/** @returns how much memory the gathered bytes of a body hold at most, beside the chunk that came last */
export function heldBytes(size: number): number {
  return Math.ceil(size * MOST_HELD) + LARGEST_BLOCK_BYTES;
}

/** Gathers chunks, and holds little more memory than they have bytes, however small or scattered they are. */
export class GatheredChunks {
  size = 0;
  #chunks: Uint8Array[] = [];
  /** Copies go here. */
  #block = Buffer.alloc(0);
  #used = 0;
  /** Where the copies begin that are in no chunk yet. */
  #begun = 0;

  add(chunk: Uint8Array): void {
    this.size += chunk.length;
    const isWhole = chunk.buffer.byteLength <= chunk.length * MOST_HELD;
    if (isWhole && chunk.length >= SMALL_CHUNK_BYTES) {
      this.#endCopy();
      this.#chunks.push(chunk);
    } else {
      this.#copy(chunk);
    }
  }

  /** @returns what was gathered, and begins anew */
  take(): { chunks: Uint8Array[]; size: number } {
    this.#endCopy();
    const taken = { chunks: this.#chunks, size: this.size };
    this.#chunks = [];
    this.#block = Buffer.alloc(0);
    this.#used = 0;
    this.#begun = 0;
    this.size = 0;
    return taken;
  }

  #copy(chunk: Uint8Array): void {
    for (let position = 0; position < chunk.length;) {
      if (this.#used === this.#block.length) this.#beginBlock();
      const piece = chunk.subarray(position, position + this.#block.length - this.#used);
      this.#block.set(piece, this.#used);
      this.#used += piece.length;
      position += piece.length;
    }
  }

  /** Each is twice as large as the one before, so a few bytes hold little. */
  #beginBlock(): void {
    this.#endCopy();
    const length = Math.max(SMALL_CHUNK_BYTES, 2 * this.#block.length);
    this.#block = Buffer.allocUnsafeSlow(Math.min(length, LARGEST_BLOCK_BYTES));
    this.#used = 0;
    this.#begun = 0;
  }

  #endCopy(): void {
    if (this.#used > this.#begun) this.#chunks.push(this.#block.subarray(this.#begun, this.#used));
    this.#begun = this.#used;
  }
}

/** How a body is gathered. */
export interface Gathering {
  /** Gives memory for the first batch; asked for when the first bytes are there. */
  readonly borrow: () => Promise<Loan>;
  /** How many bytes the first batch has at least, unless its memory is needed, and it is not the last one. */
  readonly first: number;
  /** How many bytes the others have at least. */
  readonly others: () => number;
}

const nothing = (): void => undefined;

/** Gathers chunks to batches. A body without bytes has none. */
export async function* inBatches(
  bytes: AsyncIterable<Uint8Array>,
  { borrow, first, others }: Gathering,
): AsyncGenerator<Batch, void, undefined> {
  const source = new Source(bytes);
  const gathered = new GatheredChunks();
  let loan: Loan | undefined;
  try {
    let next: IteratorResult<Uint8Array> | undefined = await source.next();
    if (next.done === true) return;
    loan = await borrow();
    while (next !== undefined && next.done !== true) {
      gathered.add(next.value);
      if (gathered.size >= first || loan.isNeeded) break;
      next = await source.nextUnless(loan);
    }
    const isLast = next?.done === true;
    const lent = loan;
    loan = undefined;
    lent.endGathering();
    yield batchOf(gathered, isLast, () => lent.giveBack());
    if (isLast) return;
    while ((next = await source.next()).done !== true) {
      gathered.add(next.value);
      if (gathered.size >= others()) yield batchOf(gathered, false);
    }
    if (gathered.size > 0) yield batchOf(gathered, true);
  } finally {
    loan?.giveBack();
    await source.close();
  }
}

function batchOf(gathered: GatheredChunks, isLast: boolean, giveBack = nothing): Batch {
  const { chunks, size } = gathered.take();
  const release = (): void => {
    chunks.length = 0;
    giveBack();
  };
  return { chunks, size, isLast, release };
}

/** A body's chunks. One that was not waited for is given by the next call. */
class Source {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #pending: Promise<IteratorResult<Uint8Array>> | undefined;

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const next = this.#pending ?? this.#chunks.next();
    this.#pending = undefined;
    return next;
  }

  /** Waits for the next chunk until the memory of the others is needed. @returns undefined then */
  async nextUnless(loan: Loan): Promise<IteratorResult<Uint8Array> | undefined> {
    const pending = this.#chunks.next();
    const next = await new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
      loan.onNeeded = () => {
        resolve(undefined);
      };
      pending.then(resolve, reject);
    });
    if (next === undefined) this.#pending = pending;
    return next;
  }

  /** Ends the body, unless it has ended. A chunk that the client may never send is not waited for. */
  async close(): Promise<void> {
    const closing = this.#chunks.return?.();
    if (this.#pending === undefined) await closing;
    else closing?.catch(nothing);
  }
}

/** Writes a batch at a place of a file. @throws an error with the code `ENOSPC` when the disk takes nothing more */
export async function writeBatch(
  file: FileHandle,
  { chunks, size }: Pick<Batch, 'chunks' | 'size'>,
  position: number,
): Promise<void> {
  const { bytesWritten } = await file.writev([...chunks], position);
  if (bytesWritten === size) return;
  // A short write is legal; what is left goes out in one piece, again and again, until it is out or fails.
  let left = Buffer.concat(chunks).subarray(bytesWritten);
  let at = position + bytesWritten;
  while (left.length > 0) {
    const written = await file.write(left, 0, left.length, at);
    if (written.bytesWritten === 0) throw outOfRoom(left.length);
    left = left.subarray(written.bytesWritten);
    at += written.bytesWritten;
  }
}

function outOfRoom(left: number): Error {
  const message = `the last ${String(left)} bytes of a write have no room`;
  return Object.assign(new Error(message), { code: 'ENOSPC' });
}
