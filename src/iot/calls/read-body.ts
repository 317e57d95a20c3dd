import type { IncomingMessage } from 'node:http';
import type { BreakReason } from '../../http/broken-request.ts';
import { GrowingBuffer } from '../../http/growing-buffer.ts';
import { BudgetExhausted, headerBytes } from '../../http/memory-budget.ts';
import type { MemoryShare } from '../../http/memory-budget.ts';
import { BrokenRequest, ClientVanished, readChunks } from '../../http/request-chunks.ts';

/** Limit for the body of a call. */
export const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Result of reading a body. `noRoom`: requests whose signature is not checked yet hold too much memory. `gone`: the
 * client closed the connection before the end of the body.
 */
export type ReadOutcome =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  | { readonly kind: 'tooLarge' | 'noRoom' | 'gone' }
  | { readonly kind: 'broken'; readonly reason: BreakReason };

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
  // Either there is no body, or a host application has read it before and its events will not come again.
  if (request.readableEnded || !hasBody(request)) return { kind: 'whole', bytes: Buffer.alloc(0) };
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

/** A request without either header has no body (RFC 9112, 6.3). */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}
