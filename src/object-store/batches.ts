import type { MemoryLease } from './body-memory.ts';
import type { OpenFile } from './open-file.ts';

/** Chunks that are written together. */
export interface Batch {
  readonly chunks: readonly Uint8Array[];
  /** In bytes. */
  readonly size: number;
  /** It ends the body. */
  readonly isLast: boolean;
  /** Drops the chunks and their memory, because the batch object may live for hours. Idempotent. */
  readonly release: () => void;
}

/** That of a body without bytes. */
export const EMPTY_BATCH: Batch = {
  chunks: [],
  size: 0,
  isLast: true,
  release: () => undefined,
};

/** A chunk keeps its whole buffer in memory. It is copied if the buffer is more than this many times as large. */
const MAX_MEMORY_RATIO = 8 / 7;
/** Smaller chunks are copied, because each costs an object. */
const SMALL_CHUNK_BYTES = 4096;
const MAX_BLOCK_BYTES = 64 * 1024;

/** @returns the most memory that this number of gathered bytes can hold, without the chunk that came last */
export function maxHeldBytes(size: number): number {
  return Math.ceil(size * MAX_MEMORY_RATIO) + MAX_BLOCK_BYTES;
}

/** Gathers chunks. Holds little more memory than their bytes, even if they are small or parts of large buffers. */
export class GatheredChunks {
  size = 0;
  #chunks: Uint8Array[] = [];
  /** The present target of copies. */
  #block = Buffer.alloc(0);
  #used = 0;
  /** Where the copies begin that are not yet in `#chunks`. */
  #copyStart = 0;

  add(chunk: Uint8Array): void {
    this.size += chunk.length;
    const fillsBuffer = chunk.buffer.byteLength <= chunk.length * MAX_MEMORY_RATIO;
    if (fillsBuffer && chunk.length >= SMALL_CHUNK_BYTES) {
      this.#endCopy();
      this.#chunks.push(chunk);
    } else {
      this.#copy(chunk);
    }
  }

  /** Removes and returns the gathered chunks. */
  take(): { chunks: Uint8Array[]; size: number } {
    this.#endCopy();
    const taken = { chunks: this.#chunks, size: this.size };
    this.#chunks = [];
    this.#block = Buffer.alloc(0);
    this.#used = 0;
    this.#copyStart = 0;
    this.size = 0;
    return taken;
  }

  #copy(chunk: Uint8Array): void {
    for (let position = 0; position < chunk.length;) {
      if (this.#used === this.#block.length) this.#startBlock();
      const piece = chunk.subarray(position, position + this.#block.length - this.#used);
      this.#block.set(piece, this.#used);
      this.#used += piece.length;
      position += piece.length;
    }
  }

  /** Each block is twice as large as the one before, so a few bytes need little memory. */
  #startBlock(): void {
    this.#endCopy();
    const length = Math.max(SMALL_CHUNK_BYTES, 2 * this.#block.length);
    this.#block = Buffer.allocUnsafeSlow(Math.min(length, MAX_BLOCK_BYTES));
    this.#used = 0;
    this.#copyStart = 0;
  }

  #endCopy(): void {
    if (this.#used > this.#copyStart)
      this.#chunks.push(this.#block.subarray(this.#copyStart, this.#used));
    this.#copyStart = this.#used;
  }
}

/** How a body is gathered. */
export interface Gathering {
  /** Acquires memory for the first batch; called when the first bytes have arrived. */
  readonly acquire: () => Promise<MemoryLease>;
  /** Called with the size of each chunk when it is gathered, and awaited. An error ends the body. */
  readonly onBytes?: (length: number) => Promise<void> | undefined;
  /** The first batch ends at this number of bytes, or earlier when its memory is reclaimed or the body ends. */
  readonly first: number;
  /** The later batches end at this number of bytes. */
  readonly others: () => number;
}

const nothing = (): undefined => undefined;

/** Gathers chunks into batches. An empty body has no batch. */
export async function* inBatches(
  bytes: AsyncIterable<Uint8Array>,
  { acquire, first, onBytes = nothing, others }: Gathering,
): AsyncGenerator<Batch, void, undefined> {
  const source = new Source(bytes);
  const gathered = new GatheredChunks();
  let lease: MemoryLease | undefined;
  try {
    let next: IteratorResult<Uint8Array> | undefined = await source.next();
    if (next.done === true) return;
    lease = await acquire();
    while (next !== undefined && next.done !== true) {
      gathered.add(next.value);
      await onBytes(next.value.length);
      if (gathered.size >= first || lease.isReclaimed) break;
      next = await source.nextUnlessReclaimed(lease);
    }
    const isLast = next?.done === true;
    const batchLease = lease;
    lease = undefined;
    batchLease.endGathering();
    yield takeBatch(gathered, isLast, () => batchLease.release());
    if (!isLast) yield* laterBatches(source, gathered, { onBytes, others });
  } finally {
    lease?.release();
    await source.close();
  }
}

async function* laterBatches(
  source: Source,
  gathered: GatheredChunks,
  { onBytes, others }: Required<Pick<Gathering, 'onBytes' | 'others'>>,
): AsyncGenerator<Batch, void, undefined> {
  for (let next = await source.next(); next.done !== true; next = await source.next()) {
    gathered.add(next.value);
    await onBytes(next.value.length);
    if (gathered.size >= others()) yield takeBatch(gathered, false);
  }
  if (gathered.size > 0) yield takeBatch(gathered, true);
}

function takeBatch(
  gathered: GatheredChunks,
  isLast: boolean,
  releaseMemory: () => void = nothing,
): Batch {
  const { chunks, size } = gathered.take();
  const release = (): void => {
    chunks.length = 0;
    releaseMemory();
  };
  return { chunks, size, isLast, release };
}

/** Reads the chunks of a body. A chunk that was not awaited is returned by the next call. */
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

  /** Waits for the next chunk. @returns undefined when the memory of the gathered bytes is reclaimed before it comes */
  async nextUnlessReclaimed(lease: MemoryLease): Promise<IteratorResult<Uint8Array> | undefined> {
    const pending = this.#chunks.next();
    const next = await new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
      lease.onReclaim = () => {
        resolve(undefined);
      };
      pending.then(resolve, reject);
    });
    if (next === undefined) this.#pending = pending;
    return next;
  }

  /** Ends the body. Does not wait for a pending chunk, because the client may never send it. */
  async close(): Promise<void> {
    const closing = this.#chunks.return?.();
    if (this.#pending === undefined) await closing;
    else closing?.catch(nothing);
  }
}

/** Writes a batch at a position of a file. @throws an error with the code `ENOSPC` when the disk is full */
export async function writeBatch(
  file: Pick<OpenFile, 'writev'>,
  { chunks, size }: Pick<Batch, 'chunks' | 'size'>,
  position: number,
): Promise<void> {
  const { bytesWritten } = await file.writev([...chunks], position);
  if (bytesWritten === size) return;
  // A short write is legal: writes the rest until all is written or a write fails.
  let left = Buffer.concat(chunks).subarray(bytesWritten);
  let at = position + bytesWritten;
  while (left.length > 0) {
    const written = await file.writev([left], at);
    if (written.bytesWritten === 0) throw diskFullError(left.length);
    left = left.subarray(written.bytesWritten);
    at += written.bytesWritten;
  }
}

function diskFullError(left: number): Error {
  const message = `the disk is full: ${String(left)} bytes of a write are missing`;
  return Object.assign(new Error(message), { code: 'ENOSPC' });
}

/**
 * Writes batches to a file, each while the next one is gathered: memory holds two at most.
 * @param onWritten - gets the size of the file after each batch
 * @returns the size of the file
 */
export async function writeBatches(
  file: Pick<OpenFile, 'writev'>,
  first: Batch,
  rest: AsyncIterable<Batch>,
  onWritten: (size: number) => void,
): Promise<number> {
  let size = 0;
  const write = async (batch: Batch): Promise<void> => {
    await writeBatch(file, batch, size);
    size += batch.size;
    batch.release();
    onWritten(size);
  };
  const start = (batch: Batch): Promise<void> => {
    const written = write(batch);
    // Avoids an unhandled rejection: the write is awaited only when the next batch is complete.
    written.catch(() => undefined);
    return written;
  };
  let writing = start(first);
  try {
    for await (const batch of rest) {
      await writing;
      writing = start(batch);
    }
  } finally {
    // Also after an error of the body: the file must not be closed during a write.
    await Promise.allSettled([writing]);
  }
  await writing;
  return size;
}
