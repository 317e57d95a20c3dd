import type { IncomingMessage } from 'node:http';

/** What the body of a call may have. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** What came of reading a body. `gone`: the client went away in the middle of it. */
export type ReadOutcome =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'gone' };

/** Reads a body into memory, up to a limit. It stops at the limit and leaves the rest unread. */
export function readBody(request: IncomingMessage, limit: number): Promise<ReadOutcome> {
  if (Number(request.headers['content-length'] ?? 0) > limit) {
    return Promise.resolve({ kind: 'tooLarge' });
  }
  // Somebody in front of the gateway has read it, and its events will not come again; or there is none.
  if (request.readableEnded || !hasBody(request))
    return Promise.resolve({ kind: 'whole', bytes: Buffer.alloc(0) });
  if (request.destroyed) return Promise.resolve({ kind: 'gone' });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (outcome: ReadOutcome): void => {
      request.off('data', take).off('end', end).off('error', leave).off('close', leave);
      resolve(outcome);
    };
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= limit) return;
      request.pause();
      finish({ kind: 'tooLarge' });
    };
    const end = (): void => finish({ kind: 'whole', bytes: Buffer.concat(chunks, size) });
    const leave = (): void => finish({ kind: 'gone' });
    request.on('data', take).on('end', end).on('error', leave).on('close', leave);
  });
}

/** A request without either header has no body (RFC 9112, 6.3). */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** How much of an unwanted body is taken in, so that the client reads its answer instead of a reset. */
export interface DrainLimits {
  readonly bytes: number;
  readonly milliseconds: number;
}

/** Reads and forgets what is left of a body. Resolves at its end, or when a limit is reached. */
export function drain(request: IncomingMessage, limits: DrainLimits): Promise<void> {
  if (request.readableEnded || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let left = limits.bytes;
    const finish = (): void => {
      clearTimeout(timer);
      request.off('data', take).off('end', finish).off('error', finish).off('close', finish);
      request.pause();
      resolve();
    };
    const take = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left < 0) finish();
    };
    const timer = setTimeout(finish, limits.milliseconds);
    request.on('data', take).on('end', finish).on('error', finish).on('close', finish);
    request.resume();
  });
}
