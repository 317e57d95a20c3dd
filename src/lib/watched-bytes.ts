/** Looks at the bytes of a body while they pass. An error that it throws ends the body. */
export interface ByteWatch {
  /** Is called for each chunk before it is passed on. @param total - bytes so far, with this chunk */
  readonly onBytes?: (total: number) => void;
  /** Is called when all bytes have passed. @param total - the bytes of the body */
  readonly onEnd?: (total: number) => Promise<void> | void;
}

/**
 * Passes on the bytes of a body, and lets a watch look at them. A body that is watched already stays one stage: its
 * watches are called in the order in which they were added.
 */
export function watchBytes<Chunk extends Uint8Array>(
  bytes: AsyncIterable<Chunk>,
  watch: ByteWatch,
): AsyncIterable<Chunk> {
  return bytes instanceof WatchedBytes ? bytes.with(watch) : new WatchedBytes(bytes, [watch]);
}

class WatchedBytes<Chunk extends Uint8Array> implements AsyncIterable<Chunk> {
  readonly #bytes: AsyncIterable<Chunk>;
  readonly #watches: readonly ByteWatch[];

  constructor(bytes: AsyncIterable<Chunk>, watches: readonly ByteWatch[]) {
    this.#bytes = bytes;
    this.#watches = watches;
  }

  with(watch: ByteWatch): WatchedBytes<Chunk> {
    return new WatchedBytes(this.#bytes, [...this.#watches, watch]);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk, void, undefined> {
    let total = 0;
    for await (const chunk of this.#bytes) {
      total += chunk.length;
      for (const { onBytes } of this.#watches) onBytes?.(total);
      yield chunk;
    }
    for (const { onEnd } of this.#watches) await onEnd?.(total);
  }
}
