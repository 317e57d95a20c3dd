import type { IncomingMessage } from 'node:http';
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

/**
 * Reads a request chunk by chunk. Unlike the request's own iterator it holds no listeners while it is not waiting, so a
 * reader that gives up in the middle can simply forget it, and the rest can still be drained.
 *
 * Reading throws ClientVanished or BrokenRequest when the request does not come to its end.
 */
export async function* readChunks(
  request: IncomingMessage,
): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    const chunk: unknown = request.read();
    if (Buffer.isBuffer(chunk)) {
      yield chunk;
      continue;
    }
    const reason = breakReason(request);
    // Although it may look like one that has ended, with a part of its body missing.
    if (reason !== undefined) throw new BrokenRequest(reason);
    if (request.readableEnded) return;
    if (request.destroyed) throw new ClientVanished('the client has closed the connection');
    await moreOf(request);
  }
}

const MOVES = ['readable', 'end', 'error', 'close', BROKEN] as const;

/** Waits until there is something new to know of a request. */
async function moreOf(request: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      for (const move of MOVES) request.off(move, settle);
      resolve();
    };
    for (const move of MOVES) request.on(move, settle);
  });
}
