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
