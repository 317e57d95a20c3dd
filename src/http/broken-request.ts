import type { IncomingMessage } from 'node:http';

/**
 * Why a request is broken: its rest will not be read, but the client can still receive a response. `halfClosed`: the
 * client ended its side of the connection. `timedOut`: it sends nothing, or too slowly. `malformed`: it sent bytes that
 * are not HTTP. `tooManyChunks`: it sent mostly chunk headers.
 */
export type BreakReason = 'halfClosed' | 'timedOut' | 'malformed' | 'tooManyChunks';

/** The event of a request that is broken. */
export const BROKEN = Symbol('broken');

const reasons = new WeakMap<IncomingMessage, BreakReason>();

/** Marks a request as broken. Its reader then refuses it; the connection is closed after the response. */
export function breakOff(request: IncomingMessage, reason: BreakReason): void {
  reasons.set(request, reason);
  request.emit(BROKEN);
}

/** @returns undefined while the request is not broken */
export function breakReason(request: IncomingMessage): BreakReason | undefined {
  return reasons.get(request);
}
