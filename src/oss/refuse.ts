import type { IncomingMessage, ServerResponse } from 'node:http';
import { renderOssError } from './errors.ts';
import type { OssError } from './errors.ts';

/** What a refused request may still send before its connection is closed. */
export interface DrainLimits {
  readonly bytes: number;
  readonly milliseconds: number;
}

/**
 * Answers with an error. When the client is still sending, the answer goes out at once, then what it sends is
 * thrown away for a while, then the connection is closed. Closing it at once would make the kernel reset it, and
 * most clients would never read the answer.
 */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: OssError,
  requestId: string,
  limits: DrainLimits,
): void {
  const answer = { requestId, host: request.headers.host ?? '' };
  if (request.complete || request.destroyed) {
    renderOssError(response, error, answer);
    return;
  }
  response.setHeader('Connection', 'close');
  renderOssError(response, error, answer, (xml) => {
    if (xml === '') response.flushHeaders();
    else response.write(xml);
    drain(request, limits, () => response.end());
  });
}

/** Throws away what comes, until the request ends or has used up its limits. */
function drain(request: IncomingMessage, limits: DrainLimits, done: () => void): void {
  let left = limits.bytes;
  const stop = (): void => {
    clearTimeout(timer);
    request.off('data', count).off('end', stop).off('close', stop);
    done();
  };
  const count = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) stop();
  };
  const timer = setTimeout(stop, limits.milliseconds);
  request.on('data', count).on('end', stop).on('close', stop);
  request.resume();
}
