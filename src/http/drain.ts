import type { IncomingMessage } from 'node:http';
import { BROKEN, breakReason } from './broken-request.ts';

/** How much of an unwanted body is still read, so that the client reads its response instead of a reset. */
export interface DrainLimits {
  readonly bytes: number;
  readonly milliseconds: number;
}

/** How often is looked at what came without reaching the request: the chunks of a body that was broken off. */
const LOOK_MS = 50;

const ENDS = ['end', 'error', 'close', BROKEN] as const;

/** Reads and forgets what is left of a request. Resolves at its end, or when a limit is reached. */
export function drain(request: IncomingMessage, limits: DrainLimits): Promise<void> {
  if (isOver(request)) return Promise.resolve();
  return new Promise((resolve) => {
    const { socket } = request;
    const before = socket.bytesRead;
    let left = limits.bytes;
    const finish = (): void => {
      clearTimeout(timer);
      clearInterval(watch);
      request.off('data', count);
      for (const end of ENDS) request.off(end, finish);
      request.pause();
      resolve();
    };
    const count = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left < 0) finish();
    };
    const timer = setTimeout(finish, limits.milliseconds);
    const watch = setInterval(() => {
      if (socket.bytesRead - before > limits.bytes) finish();
    }, LOOK_MS);
    request.on('data', count);
    for (const end of ENDS) request.on(end, finish);
    request.resume();
  });
}

function isOver(request: IncomingMessage): boolean {
  const reason = breakReason(request);
  // The other reasons leave nothing that could be read.
  const isCut = reason !== undefined && reason !== 'tooManyChunks';
  return request.readableEnded || request.destroyed || isCut;
}
