import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { openRecord } from '../../http/request-record.ts';
import type { OpenRecord, Recording } from '../../http/request-record.ts';
import type { Ids } from '../../lib/ids.ts';
import { once } from '../../lib/once.ts';
import type { RefusalReason } from '../../refusals/refusal-reason.ts';
import { findCaller } from './authenticate.ts';
import type { ApiRefusal } from './refusals.ts';

/** What recording calls works with. */
export interface RecordDependencies {
  readonly recording: Recording;
  readonly ids: Pick<Ids, 'apiRequest'>;
}

const REASONS: Readonly<Record<number, RefusalReason>> = {
  401: 'anonymous',
  403: 'forbidden',
  404: 'not_found',
  413: 'too_large',
  429: 'throttled',
  500: 'internal',
  503: 'overloaded',
};

/** The codes that say more than their status. */
const REASONS_OF_CODES: Readonly<Record<string, RefusalReason>> = {
  SignatureDoesNotMatch: 'signature_mismatch',
  InvalidAccessKeySecret: 'signature_mismatch',
  'InvalidAccessKeyId.NotFound': 'unknown_access_key',
  'InvalidAccessKeyId.Inactive': 'disabled_access_key',
  'InvalidSecurityToken.MismatchWithAccessKey': 'security_token',
  'InvalidSecurityToken.Expired': 'security_token',
  SignatureNonceUsed: 'replayed',
  'InvalidTimeStamp.Expired': 'clock_skew',
  'InvalidTimeStamp.Format': 'clock_skew',
  IncompleteSignature: 'signature_mismatch',
  InvalidAuthorization: 'parameter',
  InvalidAction: 'parameter',
  InvalidVersion: 'parameter',
  InvalidSignatureNonce: 'parameter',
  MissingHeader: 'parameter',
  Limit: 'limit',
  DiskFull: 'disk_full',
  /** The uploads leave the disk no more room. */
  Full: 'disk_full',
};

interface OpenCall {
  readonly record: OpenRecord;
  /** Ends its time in flight. Idempotent. */
  readonly leave: () => void;
  /** Whether its operation runs. It may change something after its client has gone. */
  isRunning: boolean;
  /** Whether its response has ended, or its client is gone. */
  isClosed: boolean;
}

const calls = new WeakMap<object, OpenCall>();

/**
 * Records each call for the log and the metrics.
 * @param isQuiet - whether only a refusal of a request is recorded
 */
export function recordCalls(
  deps: RecordDependencies,
  isQuiet: (request: Request) => boolean = () => false,
): RequestHandler {
  return (request, response, next) => {
    const { path } = request;
    const record = begin(deps, request, response);
    record.isQuiet = isQuiet(request);
    response.setHeader('x-request-id', record.requestId);
    const [, name = '', rest = ''] = /^\/([^/]*)\/?(.*)/.exec(path) ?? [];
    record.operation = `${request.method} ${name}`.trimEnd();
    if (name === 'uploads' && rest !== '') record.keys = [decode(rest)];
    response.once('close', () => {
      record.account = findCaller(request)?.account.id ?? record.account;
      const call = calls.get(request);
      if (call !== undefined) call.isClosed = true;
      if (call?.isRunning !== true) record.handled();
    });
    next();
  };
}

/**
 * Notes that the operation of a call begins. The call is recorded only when it has ended, see {@link noteEnd}.
 * @returns false when the client is gone already: nothing may change any more, because the call is recorded
 */
export function noteBegin(request: object): boolean {
  const call = calls.get(request);
  if (call === undefined) throw new Error('the request is not recorded');
  if (call.isClosed) return false;
  call.isRunning = true;
  return true;
}

/** Notes that the operation of a call has ended, or was refused. */
export function noteEnd(request: object): void {
  const call = calls.get(request);
  if (call === undefined) return;
  call.isRunning = false;
  if (call.isClosed) call.record.handled();
}

/**
 * Records the refused requests to the other parts of `/_gateway`. Their successes are not recorded: monitoring and
 * tests ask for the same again and again. That the gateway is not ready is logged once, by itself.
 */
export function recordRefusals(deps: RecordDependencies): RequestHandler {
  return (request, response, next) => {
    const recording = { ...deps.recording, begun: undefined, ended: undefined };
    const record = begin({ ...deps, recording }, request, response);
    record.isQuiet = true;
    const [, part = ''] = /^\/([^/]*)/.exec(request.path) ?? [];
    record.operation = `${request.method} ${part}`;
    response.once('close', () => {
      const { statusCode: status } = response;
      if (response.headersSent && status >= 400 && status !== 503) {
        record.refuse(CODES[status] ?? 'InvalidRequest', reasonOf('', status));
      }
      record.handled();
    });
    next();
  };
}

/** The responses of these parts have no codes. */
const CODES: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  413: 'TooLarge',
  500: 'InternalError',
};

function begin(
  { ids, recording }: RecordDependencies,
  request: IncomingMessage,
  response: ServerResponse,
): OpenRecord {
  const leave = once(() => recording.ended?.('operator'));
  const counted = { ...recording, ended: leave };
  const record = openRecord(counted, request, response, ids.apiRequest(), 'operator');
  calls.set(request, { record, leave, isRunning: false, isClosed: false });
  return record;
}

/** Notes that a call lasts until its client leaves: it is not in flight any more, and is recorded only if it is refused. */
export function noteStream(request: Request): void {
  const call = calls.get(request);
  if (call === undefined) return;
  call.record.isQuiet = true;
  call.leave();
}

/** @returns the record of a call, which its operation completes */
export function recordOf(request: object): OpenRecord {
  const call = calls.get(request);
  if (call === undefined) throw new Error('the request is not recorded');
  return call.record;
}

/** Notes in the record of a call which account it concerns, when nobody has authenticated it. */
export function noteAccount(request: object, accountId: string | undefined): void {
  const call = calls.get(request);
  if (call !== undefined) call.record.account = accountId;
}

/** Notes in the record of a call that it is refused. */
export function noteRefusal(
  request: Request,
  { code, reason, status }: Pick<ApiRefusal, 'code' | 'reason' | 'status'>,
): void {
  calls.get(request)?.record.refuse(code, reason ?? reasonOf(code, status));
  noteEnd(request);
}

/** Notes in the record of a call that its client is gone before the end of the call. */
export function noteVanished(request: Request): void {
  calls.get(request)?.record.vanish();
  noteEnd(request);
}

function reasonOf(code: string, status: number): RefusalReason {
  return REASONS_OF_CODES[code] ?? REASONS[status] ?? 'parameter';
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
