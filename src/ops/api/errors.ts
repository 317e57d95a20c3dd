import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import { z } from 'zod';
import { drain } from '../../http/drain.ts';
import { isDiskFull } from '../../lib/errno.ts';
import type { Logger } from '../../lib/logger.ts';
import { OperatorError } from '../../operator/errors.ts';
import type { OperatorFailure } from '../../operator/errors.ts';
import { DepositError } from '../../uploads/deposit.ts';
import type { DepositRefusal } from '../../uploads/deposit.ts';
import { LimitReached } from '../../uploads/limits.ts';
import { ClockDiffers, LedgerUnavailable, StoreUnavailable } from '../../uploads/unavailable.ts';
import { BadControl } from '../responses.ts';
import { hasBody } from './authenticate.ts';
import { noteRefusal, noteVanished } from './record-calls.ts';
import { ApiRefusal } from './refusals.ts';

const STATUSES: Readonly<Record<OperatorFailure, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  tooLarge: 413,
  tooMany: 429,
  unavailable: 503,
};

/** Failures of what the gateway needs; an operator has to act. */
const PASSING = ['DiskFull', 'StoreUnavailable', 'LedgerUnavailable', 'ClockDiffers'];

const DEPOSIT_STATUSES: Readonly<Record<DepositRefusal, number>> = {
  invalidKey: 400,
  headersTooLarge: 400,
  invalidHeader: 400,
  immutable: 409,
  exists: 409,
  tooLarge: 413,
  full: 503,
  cancelled: 503,
  limit: 429,
};

/** The errors of Express and multer. Express gives a request that it cannot read the status of the response. */
const unreadable = z.object({ status: z.int().min(400).max(499), message: z.string() });
const multerError = z.object({
  name: z.literal('MulterError'),
  code: z.string(),
  message: z.string(),
  field: z.string().optional(),
});

/** How much of the body of a refused request is read, so that the client can receive the response. */
const DRAIN_LIMITS = { bytes: 8 * 1024 * 1024, milliseconds: 2000 };

/** Refuses a path or method that does not exist. */
export const refuseRoute: RequestHandler = ({ method, originalUrl }) => {
  const [path = ''] = originalUrl.split('?');
  throw new ApiRefusal(404, 'RouteNotFound', `there is no ${method} ${path}`);
};

/**
 * Makes the error handler of the operator API; the details of a 500 go only to the log.
 * @param report - is called for each request that is refused
 */
export function createApiErrorHandler(
  logger: Logger,
  report?: (request: Request, refusal: ApiRefusal) => void,
): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (request.destroyed && !request.complete) {
      // The client is gone, or its connection was given up.
      noteVanished(request);
      response.destroy();
      return;
    }
    const refusal = toRefusal(error);
    noteRefusal(request, refusal);
    report?.(request, refusal);
    if (refusal.status === 500 || PASSING.includes(refusal.code)) {
      logger.error({ err: error, path: request.baseUrl + request.path }, 'request failed');
    }
    if (response.headersSent) {
      // Express then closes the connection.
      next(error);
      return;
    }
    respond(request, response, refusal).catch(next);
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { code, hint, message, status }: ApiRefusal,
): Promise<void> {
  const error = { code, message, ...(hint !== undefined && { hint }) };
  const text = JSON.stringify({ error });
  const isUnread = hasBody(request) && !request.complete;
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    // Not Basic: a browser would ask for a password, and send it from then on.
    ...(status === 401 && { 'WWW-Authenticate': 'ACS3-HMAC-SHA256' }),
    ...(isUnread && { Connection: 'close' }),
  });
  response.write(text);
  if (isUnread) await drain(request, DRAIN_LIMITS);
  response.end();
}

function toRefusal(error: unknown): ApiRefusal {
  if (error instanceof ApiRefusal) return error;
  if (error instanceof OperatorError) {
    const { code, hint, kind, message, reason } = error;
    return new ApiRefusal(STATUSES[kind], code, message, hint, reason);
  }
  if (error instanceof BadControl) {
    return new ApiRefusal(error.status, 'InvalidRequest', error.message);
  }
  if (error instanceof LimitReached) return new ApiRefusal(429, 'Limit', error.message);
  if (error instanceof DepositError) {
    const { code, message } = error;
    const name = code.charAt(0).toUpperCase() + code.slice(1);
    return new ApiRefusal(DEPOSIT_STATUSES[code], name, message);
  }
  if (isDiskFull(error)) {
    return new ApiRefusal(503, 'DiskFull', 'the disk of the data folder is full');
  }
  if (
    error instanceof StoreUnavailable ||
    error instanceof LedgerUnavailable ||
    error instanceof ClockDiffers
  ) {
    return new ApiRefusal(503, error.name, error.message);
  }
  return readForeign(error) ?? new ApiRefusal(500, 'InternalError', 'failed; the log says why');
}

function readForeign(error: unknown): ApiRefusal | undefined {
  const limit = multerError.safeParse(error);
  if (limit.success) {
    const { code, field, message } = limit.data;
    const text = field === undefined ? message : `${message}: ${field}`;
    return new ApiRefusal(code === 'LIMIT_UNEXPECTED_FILE' ? 400 : 413, 'InvalidForm', text);
  }
  const refusal = unreadable.safeParse(error);
  if (!refusal.success) return undefined;
  const { message, status } = refusal.data;
  return new ApiRefusal(status, status === 413 ? 'TooLarge' : 'InvalidRequest', message);
}
