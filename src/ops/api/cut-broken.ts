import type { RequestHandler } from 'express';
import { BROKEN, breakReason } from '../../http/broken-request.ts';
import { BrokenRequest } from '../../http/request-chunks.ts';

/**
 * Closes the connection of a request whose rest will not arrive. The readers of Express and multer know nothing of
 * broken requests, and would wait for the rest until the connection is given up.
 */
export const cutBroken: RequestHandler = (request, _response, next) => {
  const cut = (): void => {
    request.destroy(new BrokenRequest(breakReason(request) ?? 'halfClosed'));
  };
  if (breakReason(request) === undefined) request.once(BROKEN, cut);
  else cut();
  next();
};
