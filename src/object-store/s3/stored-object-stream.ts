import type { Readable } from 'node:stream';
import { clearTimeout, setTimeout } from '../../lib/timers.ts';
import { StoreUnavailable } from '../../uploads/unavailable.ts';
import type { ArrivingObject } from './store-client.ts';

/** How a body is read. */
export interface ResumedReading {
  /** The answer to the first request. */
  readonly first: ArrivingObject;
  /** Requests the bytes from an offset of the answer on. @returns undefined when the object was deleted */
  readonly resume: (offset: number) => Promise<ArrivingObject | undefined>;
  /** How often it is resumed. */
  readonly resumptions: number;
  /** How long the bytes may stand still while they are wanted, in milliseconds. */
  readonly stallTimeout: number;
  /** Is called after each break. */
  readonly onBreak?: (isResumed: boolean) => void;
}

/**
 * Reads an object to its end. Objects never change, so a connection that breaks is followed by a request for the rest.
 * @throws StoreUnavailable when it breaks too often, or its object is deleted at a break
 */
export async function* readObject({
  first,
  onBreak,
  resume,
  resumptions,
  stallTimeout,
}: ResumedReading): AsyncGenerator<Buffer, void, undefined> {
  let source = first;
  let offset = 0;
  let left = resumptions;
  let chunks = chunksOf(source.bytes);
  try {
    for (;;) {
      const next = await nextChunk(source.bytes, chunks, stallTimeout);
      if (next.kind === 'chunk') {
        offset += next.chunk.length;
        yield next.chunk;
        continue;
      }
      if (offset >= first.size) return;
      source.bytes.destroy();
      onBreak?.(left > 0);
      const rest = left > 0 ? await resume(offset) : undefined;
      if (rest === undefined) throw brokenOff(offset, first.size, next.error);
      left -= 1;
      source = rest;
      chunks = chunksOf(source.bytes);
    }
  } finally {
    source.bytes.destroy();
  }
}

type Next =
  | { readonly kind: 'chunk'; readonly chunk: Buffer }
  | { readonly kind: 'end'; readonly error: unknown };

function chunksOf(bytes: Readable): AsyncIterator<Buffer> {
  // The end of the iteration must not end the stream before the connection can be used again.
  return bytes.iterator({ destroyOnReturn: false });
}

async function nextChunk(
  bytes: Readable,
  chunks: AsyncIterator<Buffer>,
  stallTimeout: number,
): Promise<Next> {
  const timer = setTimeout(() => {
    bytes.destroy(new Error(`no byte has come for ${stallTimeout} ms`));
  }, stallTimeout);
  try {
    const next = await chunks.next();
    if (next.done !== true) return { kind: 'chunk', chunk: next.value };
    return { kind: 'end', error: new Error('the answer ended early') };
  } catch (error) {
    return { kind: 'end', error };
  } finally {
    clearTimeout(timer);
  }
}

function brokenOff(offset: number, size: number, cause: unknown): StoreUnavailable {
  const message = `a body broke off after ${offset} of ${size} bytes`;
  return new StoreUnavailable(message, { cause });
}
