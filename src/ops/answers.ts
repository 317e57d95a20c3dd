import type { ErrorRequestHandler, RequestHandler } from 'express';
import { z } from 'zod';
import { FaultOrderError } from '../faults/fault-spec.ts';
import { ClockRangeError } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';

/** A request to the test controls that says something they cannot do. */
export class BadControl extends Error {}

/** Answers what there is not. */
export const answerMissing: RequestHandler = ({ method, originalUrl }, response) => {
  const [path = ''] = originalUrl.split('?');
  response.status(404).json({ error: `there is no ${method} ${path}` });
};

/** What Express throws for a request that it cannot read has the status to answer with. */
const unreadable = z.object({ status: z.int().min(400).max(499), message: z.string() });

/** Makes the handler of everything that is thrown under `/_gateway`: JSON, and no word of what only the log may say. */
export function answerErrors(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const { message, status } = explain(error);
    if (status === 500) logger.error({ err: error, path: request.path }, 'could not answer');
    // Express then breaks the connection.
    if (response.headersSent) next(error);
    else response.status(status).json({ error: message });
  };
}

function explain(error: unknown): { status: number; message: string } {
  if (
    error instanceof BadControl ||
    error instanceof FaultOrderError ||
    error instanceof ClockRangeError
  ) {
    return { status: 400, message: error.message };
  }
  const refusal = unreadable.safeParse(error);
  return refusal.success ? refusal.data : { status: 500, message: 'failed; the log says why' };
}
