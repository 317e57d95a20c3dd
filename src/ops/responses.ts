import type { ErrorRequestHandler, RequestHandler } from 'express';
import { z } from 'zod';
import { ApiCallError } from '../client/api-call-error.ts';
import { SeedError } from '../client/seed.ts';
import { FaultSpecError } from '../faults/fault-spec.ts';
import { ClockRangeError } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';

/** A request to the test controls that cannot be carried out, with the status of the response. */
export class BadControl extends Error {
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

/** Answers a path or method that does not exist with 404. */
export const respondNotFound: RequestHandler = ({ method, originalUrl }, response) => {
  const [path = ''] = originalUrl.split('?');
  response.status(404).json({ error: `there is no ${method} ${path}` });
};

/** The error that Express throws for a request that it cannot read; it has the status of the response. */
const unreadable = z.object({ status: z.int().min(400).max(499), message: z.string() });

/** Makes the error handler of `/_gateway`: responds with JSON; the details of a 500 go only to the log. */
export function createErrorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const { message, status } = explain(error);
    if (status === 500)
      logger.error({ err: error, path: request.baseUrl + request.path }, 'request failed');
    // Express then closes the connection.
    if (response.headersSent) next(error);
    else response.status(status).json({ error: message });
  };
}

function explain(error: unknown): { status: number; message: string } {
  if (error instanceof BadControl) return { status: error.status, message: error.message };
  // A seed, or a grant, is made by calls of the API, which says what is wrong with them.
  if (error instanceof ApiCallError) {
    return { status: 400, message: `${error.code}: ${error.message}` };
  }
  if (
    error instanceof FaultSpecError ||
    error instanceof ClockRangeError ||
    error instanceof SeedError
  ) {
    return { status: 400, message: error.message };
  }
  const refusal = unreadable.safeParse(error);
  return refusal.success ? refusal.data : { status: 500, message: 'failed; the log says why' };
}
