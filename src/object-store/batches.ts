import type { FileHandle } from 'node:fs/promises';

/** Chunks that are written at once. */
export interface Batch {
  readonly chunks: readonly Uint8Array[];
  /** In bytes. */
  readonly size: number;
}

/** Gathers chunks until a batch has at least `minimum` bytes; only the last batch may be smaller. */
export async function* inBatches(
  bytes: AsyncIterable<Uint8Array>,
  minimum: number,
): AsyncGenerator<Batch, void, undefined> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    size += chunk.length;
    if (size < minimum) continue;
    yield { chunks, size };
    chunks = [];
    size = 0;
  }
  if (size > 0) yield { chunks, size };
}

/** Writes a batch at a place of a file. */
export async function writeBatch(file: FileHandle, batch: Batch, position: number): Promise<void> {
  const { bytesWritten } = await file.writev([...batch.chunks], position);
  if (bytesWritten === batch.size) return;
  // A short write is legal; what is left goes out in one piece, again and again, until it is out or fails.
  let left = Buffer.concat(batch.chunks).subarray(bytesWritten);
  let at = position + bytesWritten;
  while (left.length > 0) {
    const written = await file.write(left, 0, left.length, at);
    left = left.subarray(written.bytesWritten);
    at += written.bytesWritten;
  }
}
