import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BROKEN, breakReason } from './broken-request.ts';
import type { BreakReason } from './broken-request.ts';

/** The client went away before its request was complete, so nothing can be answered. */
export class ClientVanished extends Error {
  override readonly name = 'ClientVanished';
}

/** The rest of a request will not come, but its sender can be answered. */
export class BrokenRequest extends Error {
  override readonly name = 'BrokenRequest';
  readonly reason: BreakReason;

  constructor(reason: BreakReason) {
    super(`the request is ${reason}`);
    this.reason = reason;
  }
}

/** After a smaller chunk the others that came with it are waited for: one by one they cost far more than their bytes. */
const SMALL_BYTES = 1024;

/** Whether the framing of a body is limited: as long as it is not known who sends it. */
export interface Framing {
  isLimited: boolean;
}

/**
 * What the framing of an unsigned body may have. In chunks of one or two bytes it is most of what is sent, and each
 * chunk takes Node as long as kilobytes in a large one do.
 */
const FRAMING = { bytes: 64 * 1024, forEachByte: 2 };

/**
 * Reads a request chunk by chunk. Unlike the request's own iterator it holds no listeners while it is not waiting, so a
 * reader that gives up in the middle can simply forget it, and the rest can still be drained.
 *
 * Reading throws ClientVanished or BrokenRequest when the request does not come to its end.
 */
export async function* readChunks(
  request: IncomingMessage,
  framing: Framing = { isLimited: false },
): AsyncGenerator<Buffer, void, undefined> {
  const { socket } = request;
  const before = socket.bytesRead;
  let size = 0;
  for (;;) {
    const chunk: unknown = request.read();
    if (Buffer.isBuffer(chunk)) {
      yield chunk;
      size += chunk.length;
      const excess = socket.bytesRead - before - size - FRAMING.forEachByte * size;
      if (framing.isLimited && !request.complete && excess > FRAMING.bytes) {
        throw new BrokenRequest('malformed');
      }
      if (chunk.length < SMALL_BYTES && !request.complete) await nextTurn();
    } else if (request.readableEnded) return;
    else if (request.destroyed) throw new ClientVanished('the client has closed the connection');
    else await moreOf(request);
  }
}

const MOVES = ['readable', 'end', 'error', 'close', BROKEN] as const;

/** Waits until there is something new to know of a request. */
async function moreOf(request: IncomingMessage): Promise<void> {
  const reason = breakReason(request);
  if (reason !== undefined) throw new BrokenRequest(reason);
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      for (const move of MOVES) request.off(move, settle);
      resolve();
    };
    for (const move of MOVES) request.on(move, settle);
  });
}
