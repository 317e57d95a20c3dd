import type { IncomingMessage } from 'node:http';
import type { BreakReason } from '../../http/broken-request.ts';
import { GrowingBuffer } from '../../http/growing-buffer.ts';
import { BudgetExhausted, headerBytes } from '../../http/memory-budget.ts';
import type { MemoryShare } from '../../http/memory-budget.ts';
import { LOST_BODY, findLeftBody } from '../../http/parsed-body.ts';
import type { LeftBody } from '../../http/parsed-body.ts';
import { BrokenRequest, ClientVanished, readChunks } from '../../http/request-chunks.ts';
import { gatewayError } from '../errors.ts';
import type { GatewayError } from '../errors.ts';

/** Limit for the body of a call. */
export const MAX_BODY_BYTES = 1024 * 1024;

const NO_BYTES = Buffer.alloc(0);

/** A body that has arrived, or what a body parser in front of the gateway has left of it. */
export type CallBody =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | Extract<LeftBody, { readonly kind: 'pairs' | 'lost' }>;

/** Why a body was not read to its end. */
export type ReadFailure =
  | { readonly kind: 'tooLarge' | 'noRoom' }
  | { readonly kind: 'broken'; readonly reason: BreakReason };

/**
 * Result of reading a body. `noRoom`: requests whose signature is not checked yet hold too much memory. `gone`: the
 * client closed the connection before the end of the body.
 */
export type ReadOutcome = CallBody | ReadFailure | { readonly kind: 'gone' };

/**
 * Reads a body into memory. Stops at the limit; the rest stays unread.
 * @param share - counts the memory of the body and of the headers before it
 */
export async function readBody(
  request: IncomingMessage,
  limit: number,
  share: MemoryShare,
): Promise<ReadOutcome> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return { kind: 'tooLarge' };
  if (!hasBody(request)) return { kind: 'whole', bytes: NO_BYTES };
  const left = findLeftBody(request);
  switch (left.kind) {
    case 'untouched':
      return readBytes(request, limit, share);
    case 'bytes':
      return left.bytes.length > limit
        ? { kind: 'tooLarge' }
        : { kind: 'whole', bytes: left.bytes };
    default:
      return left;
  }
}

async function readBytes(
  request: IncomingMessage,
  limit: number,
  share: MemoryShare,
): Promise<ReadOutcome> {
  try {
    await share.grow(headerBytes(request));
    const body = new GrowingBuffer(share, limit);
    for await (const chunk of readChunks(request)) {
      if (body.length + chunk.length > limit) return { kind: 'tooLarge' };
      await body.append(chunk);
    }
    return { kind: 'whole', bytes: body.bytes() };
  } catch (error) {
    if (error instanceof BudgetExhausted) return { kind: 'noRoom' };
    if (error instanceof BrokenRequest) return { kind: 'broken', reason: error.reason };
    if (error instanceof ClientVanished) return { kind: 'gone' };
    throw error;
  }
}

/** A request without either header has no body (RFC 9112, 6.3). Most calls have none, and say that its length is 0. */
function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'] ?? '0';
  return length !== '0' || headers['transfer-encoding'] !== undefined;
}

/** Whether a body was not read to its end. */
export function isFailure(body: CallBody | ReadFailure): body is ReadFailure {
  return body.kind === 'tooLarge' || body.kind === 'noRoom' || body.kind === 'broken';
}

/** @returns the refusal of a call whose body was not read to its end, or was read by another reader */
export function unreadable(body: CallBody | ReadFailure): GatewayError {
  switch (body.kind) {
    case 'tooLarge':
      return gatewayError('RequestBodyTooLarge', { limit: String(MAX_BODY_BYTES) });
    case 'noRoom':
      return gatewayError('ServiceUnavailable', {});
    case 'broken':
      return body.reason === 'timedOut'
        ? gatewayError('RequestTimeout', {})
        : gatewayError('IncompleteBody', { reason: 'its end did not arrive.' });
    default:
      return gatewayError('IncompleteBody', { reason: LOST_BODY });
  }
}
