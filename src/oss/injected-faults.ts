import type { IncomingMessage } from 'node:http';
import { corruptResponse, pause, spoilFile } from '../faults/connection-faults.ts';
import type { Fault, FaultPlan } from '../faults/fault-plan.ts';
import { ClientVanished } from '../http/request-chunks.ts';
import { OssError, isOssErrorCode, ossError } from './errors.ts';
import type { ErrorElements, OssErrorCode } from './errors.ts';
import type { OssFaultOperation } from './fault-codes.ts';

/** @returns the fault of a request that would succeed; undefined for none */
export function takeFault(
  plan: FaultPlan,
  operation: OssFaultOperation,
  key: string,
): Fault | undefined {
  return plan.take({ operation, key });
}

/**
 * Applies what a fault does before a request is carried out, and to its response.
 * @param elements - returns the elements that a real refusal of this request has
 * @throws OssError for an injected refusal; ClientVanished when the client closes the connection during a delay
 */
export async function beginFault(
  fault: Fault,
  request: IncomingMessage,
  elements: (code: OssErrorCode) => ErrorElements,
): Promise<void> {
  if (fault.kind === 'refuse') throw injectedRefusal(fault, elements);
  if (fault.kind === 'delay' && !(await pause(request, fault.time))) throw connectionBroken();
  corruptResponse(request, fault);
}

/**
 * Applies `reset` and `stall` to a request before any byte of a file.
 * @throws ClientVanished when the connection is broken
 */
export async function breakBeforeFile(fault: Fault, request: IncomingMessage): Promise<void> {
  for await (const none of spoilFile(request, noBytes(), fault, connectionBroken)) {
    throw new Error(`an empty file has ${String(none.length)} bytes`);
  }
}

async function* noBytes(): AsyncGenerator<Buffer, void, undefined> {
  // Yields nothing.
}

/** Ends the handling of a request whose connection a fault has broken. */
export function connectionBroken(): Error {
  return new ClientVanished('a fault broke the connection');
}

/** Makes the error that a fault refuses a request with. */
export function injectedRefusal(
  { code, details, message }: Extract<Fault, { kind: 'refuse' }>,
  usual: (code: OssErrorCode) => ErrorElements,
): OssError {
  if (!isOssErrorCode(code)) throw new Error(`OSS has no error ${code}`);
  const facts = { elements: { ...usual(code), ...details }, reason: 'ordered_fault' } as const;
  return message === undefined ? ossError(code, facts) : new OssError(code, { message, ...facts });
}
