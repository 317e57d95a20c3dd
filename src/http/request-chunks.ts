import type { IncomingMessage } from 'node:http';
import { BROKEN, breakReason } from './broken-request.ts';
import type { BreakReason } from './broken-request.ts';

/** Thrown when the client closes the connection before its request is complete; no response can be sent. */
export class ClientVanished extends Error {
  override readonly name = 'ClientVanished';
}

/** Thrown when a request is broken; its client can still receive a response. */
export class BrokenRequest extends Error {
  override readonly name = 'BrokenRequest';
  readonly reason: BreakReason;

  constructor(reason: BreakReason) {
    super(`the request is ${reason}`);
    this.reason = reason;
  }
}

/** Bytes of bodies that were given out by {@link readChunks}. */
const given = new WeakMap<IncomingMessage, { bytes: number }>();

/**
 * Tells how much of a body was read. Counted are bodies without a length, and those whose end did not arrive.
 * @returns bytes; 0 when they were not counted
 */
export function bytesGiven(request: IncomingMessage): number {
  return given.get(request)?.bytes ?? 0;
}

/**
 * Reads a request chunk by chunk. Unlike the iterator of the request itself, it has listeners only while it waits. So a
 * reader may stop in the middle without closing it, and the rest can still be drained.
 *
 * Throws ClientVanished or BrokenRequest when the end of the request will not arrive.
 */
export async function* readChunks(
  request: IncomingMessage,
): AsyncGenerator<Buffer, void, undefined> {
  const count = { bytes: 0 };
  // The usual body, which has a length, is not counted.
  if (request.headers['content-length'] === undefined) given.set(request, count);
  let size = firstSize(request);
  for (;;) {
    const chunk: unknown = request.read(size);
    size = undefined;
    if (Buffer.isBuffer(chunk)) {
      count.bytes += chunk.length;
      yield chunk;
      continue;
    }
    const reason = breakReason(request);
    // Checked first: a broken request may look like one that has ended.
    if (reason === undefined && request.readableEnded) return;
    if (reason !== undefined || request.destroyed) {
      given.set(request, count);
      throw reason === undefined ? new ClientVanished(GONE) : new BrokenRequest(reason);
    }
    await waitForMore(request);
  }
}

/** Fields of a form, and headers of its file, mostly have less. */
const FIRST_BYTES = 4096;

/**
 * Node reads ahead when less than its high-water mark is left. So the first read leaves that, when it can: a request that
 * waits after its first bytes, for its authorization or for memory, then holds one chunk of Node instead of two.
 * @returns undefined for everything that has arrived
 */
function firstSize({ readableHighWaterMark, readableLength }: IncomingMessage): number | undefined {
  return readableLength - FIRST_BYTES >= readableHighWaterMark ? FIRST_BYTES : undefined;
}

const GONE = 'the client has closed the connection';

const EVENTS = ['readable', 'end', 'error', 'close', BROKEN] as const;

/** Waits for the next chunk, or for the end of the request. */
async function waitForMore(request: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      for (const event of EVENTS) request.off(event, finish);
      resolve();
    };
    for (const event of EVENTS) request.on(event, finish);
  });
}
