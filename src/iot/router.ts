import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccountDirectory } from '../accounts/accounts.ts';
import type { NonceMemory, Quota } from '../accounts/ports.ts';
import type { FaultPlan } from '../faults/fault-plan.ts';
import { drain } from '../http/drain.ts';
import type { MemoryBudget, MemoryShare } from '../http/memory-budget.ts';
import { requestHost } from '../http/public-host.ts';
import type { Clock } from '../lib/clock.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import { admit } from './admit.ts';
import { MAX_BODY_BYTES, readBody } from './calls/read-body.ts';
import type { ReadOutcome } from './calls/read-body.ts';
import { readV1 } from './calls/signature-v1.ts';
import { readV3 } from './calls/signature-v3.ts';
import type { SignedCall } from './calls/signed-call.ts';
import { completeCall, readHead, recognize } from './calls/wire-call.ts';
import type { CallHead, WireCall } from './calls/wire-call.ts';
import { BusinessError, GatewayError, gatewayError } from './errors.ts';
import { injectFault } from './injected-faults.ts';
import { chooseInstance } from './operations/instance.ts';
import type { QuotaRule } from './quota.ts';
import { renderBusinessError, renderGatewayError, renderResult } from './render.ts';
import type { RenderedResponse, ResponseFormat } from './render.ts';

/** What the API works with. */
export interface IotDependencies {
  readonly uploads: UploadDependencies;
  readonly accounts: AccountDirectory;
  /** Signs download URLs. */
  readonly bucketKey: BucketKey;
  readonly nonces: NonceMemory;
  readonly quota: Quota;
  readonly quotaRule: QuotaRule;
  /** Undefined when no request fails on purpose. */
  readonly faults: FaultPlan | undefined;
  /** The clock that clients take their dates from, also after a test has moved the clock of the gateway. */
  readonly wallClock: Clock;
  /** The address of the gateway as clients see it; derived from each request when undefined. */
  readonly publicUrl: string | undefined;
  /** Limits the memory of calls whose signature is not checked yet. */
  readonly unsigned: MemoryBudget;
}

const DRAIN_LIMITS = { bytes: 8 * 1024 * 1024, milliseconds: 2000 };

/** Responds to a request, or calls `next` when it is not an API call. */
export type IotHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next: () => void,
) => Promise<void>;

/** Makes the handler of the API. It responds to API calls and passes every other request to `next`. */
export function createIotRouter(deps: IotDependencies): IotHandler {
  return async (request, response, next) => {
    const head = readHead(request);
    if (head === undefined || recognize(head) === 'no') {
      next();
      return;
    }
    const share = deps.unsigned.open();
    try {
      const call = await handleCall(deps, request, response, head, share);
      if (call === 'notOurs') next();
    } finally {
      share.release();
    }
  };
}

async function handleCall(
  deps: IotDependencies,
  request: IncomingMessage,
  response: ServerResponse,
  head: CallHead,
  share: MemoryShare,
): Promise<'handled' | 'notOurs'> {
  const body = await readBody(request, MAX_BODY_BYTES, share);
  if (body.kind === 'gone') return 'handled';
  const requestId = deps.uploads.ids.apiRequest();
  if (body.kind !== 'whole') {
    const call = readSigned({ ...head, body: Buffer.alloc(0), form: [] });
    const rendered = refuse(deps, request, call, requestId, unreadable(body));
    await sendAndClose(deps, request, response, requestId, rendered);
    return 'handled';
  }
  const call = completeCall(head, body.bytes);
  if (call === undefined) return 'notOurs';
  const rendered = await runCall(deps, request, call, requestId);
  if (rendered === undefined) return 'handled';
  writeHead(deps, response, requestId, rendered);
  response.end(rendered.text);
  return 'handled';
}

/** @returns the refusal of a call whose body was not read to its end */
function unreadable(body: Exclude<ReadOutcome, { kind: 'whole' | 'gone' }>): GatewayError {
  if (body.kind === 'tooLarge') {
    return gatewayError('RequestBodyTooLarge', { limit: String(MAX_BODY_BYTES) });
  }
  if (body.kind === 'noRoom') return gatewayError('ServiceUnavailable', {});
  const isLate = body.kind === 'broken' && body.reason === 'timedOut';
  return gatewayError(isLate ? 'RequestTimeout' : 'IncompleteBody', {});
}

function readSigned(call: WireCall): SignedCall {
  return call.authorizationV3 === undefined ? readV1(call) : readV3(call, call.authorizationV3);
}

/** Checks and runs a call. @returns undefined when the client is gone, so that no response is needed */
async function runCall(
  deps: IotDependencies,
  request: IncomingMessage,
  call: WireCall,
  requestId: string,
): Promise<RenderedResponse | undefined> {
  const signed = readSigned(call);
  const { accounts, nonces, quota, quotaRule, uploads, wallClock } = deps;
  const admission = { accounts, nonces, quota, quotaRule, clock: uploads.clock, wallClock };
  try {
    const { account, operation, parameters } = await admit(admission, call.method, signed);
    const fault = deps.faults?.take({ operation: operation.name });
    const ready = { request, signed, operation, parameters, uploads };
    if (!(await injectFault(fault, ready))) return undefined;
    const context = {
      uploads,
      bucketKey: deps.bucketKey,
      publicUrl: deps.publicUrl,
      host: requestHost(request, deps.publicUrl),
      account,
      isSoleAccount: accounts.soleAccount !== undefined,
      instanceId: chooseInstance(account, parameters),
      requestId,
    };
    const result = await operation.run(context, { values: parameters, prefix: '' });
    return renderResult(formatOf(signed), operation.name, result);
  } catch (error) {
    return refuse(deps, request, signed, requestId, error);
  }
}

function refuse(
  { uploads }: IotDependencies,
  request: IncomingMessage,
  signed: SignedCall,
  requestId: string,
  error: unknown,
): RenderedResponse {
  const format = formatOf(signed);
  const action = signed.common.action ?? '';
  const host = request.headers.host ?? '';
  if (error instanceof BusinessError) {
    uploads.logger.debug({ requestId, action, code: error.code }, 'an operation refused a call');
    return renderBusinessError(format, action, error, requestId);
  }
  if (error instanceof GatewayError) {
    uploads.logger.debug({ requestId, action, code: error.code }, 'a call was refused');
    return renderGatewayError(format, error, requestId, host);
  }
  uploads.logger.error({ err: error, requestId, action }, 'a call failed');
  return renderGatewayError(format, gatewayError('InternalError', {}), requestId, host);
}

function formatOf({ fallbackFormat, format }: SignedCall): ResponseFormat {
  return format ?? fallbackFormat;
}

function writeHead(
  { uploads }: IotDependencies,
  response: ServerResponse,
  requestId: string,
  { headers, status, text }: RenderedResponse,
): void {
  response.writeHead(status, {
    ...headers,
    'Content-Length': Buffer.byteLength(text),
    Date: new Date(uploads.clock.now()).toUTCString(),
    'x-acs-request-id': requestId,
  });
}

/** Responds before the body is read, then reads some of it, so that the client can receive the response. */
async function sendAndClose(
  deps: IotDependencies,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  rendered: RenderedResponse,
): Promise<void> {
  response.setHeader('Connection', 'close');
  writeHead(deps, response, requestId, rendered);
  response.write(rendered.text);
  await drain(request, DRAIN_LIMITS);
  response.end();
}
