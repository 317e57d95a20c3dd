import type { IncomingMessage, ServerResponse } from 'node:http';
import { drain } from '../http/drain.ts';
import type { DrainLimits } from '../http/drain.ts';
import { renderOssError } from './errors.ts';
import type { OssError } from './errors.ts';

/**
 * Answers with an error. When the client is still sending, the response goes out at once, then what it sends is
 * thrown away for a while, then the connection is closed. Closing it at once would make the kernel reset it, and
 * most clients would never read the response.
 */
export async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: OssError,
  requestId: string,
  limits: DrainLimits,
): Promise<void> {
  const answer = { requestId, host: request.headers.host ?? '' };
  if (request.complete || request.destroyed) {
    renderOssError(response, error, answer);
    return;
  }
  response.setHeader('Connection', 'close');
  renderOssError(response, error, answer, (xml) => {
    if (xml === '') response.flushHeaders();
    else response.write(xml);
  });
  await drain(request, limits);
  response.end();
}
