import type { ErrorRequestHandler, RequestHandler } from 'express';
import { z } from 'zod';
import { FaultSpecError } from '../faults/fault-spec.ts';
import { ClockRangeError } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';

/** A request to the test controls that is not valid. */
export class BadControl extends Error {}

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
    if (status === 500) logger.error({ err: error, path: request.path }, 'request failed');
    // Express then closes the connection.
    if (response.headersSent) next(error);
    else response.status(status).json({ error: message });
  };
}

function explain(error: unknown): { status: number; message: string } {
  if (
    error instanceof BadControl ||
    error instanceof FaultSpecError ||
    error instanceof ClockRangeError
  ) {
    return { status: 400, message: error.message };
  }
  const refusal = unreadable.safeParse(error);
  return refusal.success ? refusal.data : { status: 500, message: 'failed; the log says why' };
}
