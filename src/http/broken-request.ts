import type { IncomingMessage } from 'node:http';

/**
 * Why the rest of a request will not come, although its sender can still be answered. `halfClosed`: the sender has ended
 * its side of the connection. `timedOut`: it sends nothing, or too slowly. `malformed`: what it sends is not HTTP.
 * `tooManyChunks`: it is little but framing.
 */
export type BreakReason = 'halfClosed' | 'timedOut' | 'malformed' | 'tooManyChunks';

/** The event of a request whose rest will not come. */
export const BROKEN = Symbol('broken');

const reasons = new WeakMap<IncomingMessage, BreakReason>();

/** Says that the rest of a request will not come. Its reader refuses it, and its connection is closed after the response. */
export function breakOff(request: IncomingMessage, reason: BreakReason): void {
  reasons.set(request, reason);
  request.emit(BROKEN);
}

/** @returns undefined as long as more may come */
export function breakReason(request: IncomingMessage): BreakReason | undefined {
  return reasons.get(request);
}
