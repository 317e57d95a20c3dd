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

/**
 * Reads a request chunk by chunk. Unlike the iterator of the request itself, it has listeners only while it waits. So a
 * reader may stop in the middle without closing it, and the rest can still be drained.
 *
 * Throws ClientVanished or BrokenRequest when the end of the request will not arrive.
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
    // Checked first: a broken request may look like one that has ended.
    if (reason !== undefined) throw new BrokenRequest(reason);
    if (request.readableEnded) return;
    if (request.destroyed) throw new ClientVanished('the client has closed the connection');
    await waitForMore(request);
  }
}

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
