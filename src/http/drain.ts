import type { IncomingMessage } from 'node:http';
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../lib/timers.ts';
import { BROKEN, breakReason } from './broken-request.ts';
import { skipBody } from './small-chunks.ts';

/** How much of a refused body is still read, so that the client receives its response instead of a reset. */
export interface DrainLimits {
  readonly bytes: number;
  readonly milliseconds: number;
}

/** How often the bytes of the connection are counted. Those of a skipped body never reach the request. */
const CHECK_MS = 50;

const ENDS = ['end', 'error', 'close', BROKEN] as const;

/** Reads the rest of a request and drops it. Resolves at the end of the request, or at a limit. */
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
    }, CHECK_MS);
    request.on('data', count);
    for (const end of ENDS) request.on(end, finish);
    skipBody(request);
    request.resume();
  });
}

function isOver(request: IncomingMessage): boolean {
  const reason = breakReason(request);
  // After the other reasons there is nothing left to read.
  const isCut = reason !== undefined && reason !== 'tooManyChunks';
  return request.readableEnded || request.destroyed || isCut;
}
