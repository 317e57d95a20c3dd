import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccountDirectory } from '../accounts/accounts.ts';
import type { NonceMemory, Quota } from '../accounts/ports.ts';
import type { FaultPlan } from '../faults/fault-plan.ts';
import { drain } from '../http/drain.ts';
import { formatHttpDate } from '../http/http-date.ts';
import type { MemoryBudget } from '../http/memory-budget.ts';
import { warnOfLostBody } from '../http/parsed-body.ts';
import { gatewayUrl, mountPath, publicHosts } from '../http/public-host.ts';
import { createRefusal, keptFields } from '../refusals/refusal-record.ts';
import type { Evidence } from '../refusals/refusal-record.ts';
import { openRecord, reportRefusal } from '../http/request-record.ts';
import type { ExplainDependencies, OpenRecord, Recording } from '../http/request-record.ts';
import type { Clock } from '../lib/clock.ts';
import { isDiskFull } from '../lib/errno.ts';
import type { LimitedLog } from '../lib/limited-log.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import { LedgerUnavailable, StoreUnavailable } from '../uploads/unavailable.ts';
import { admit } from './admit.ts';
import type { AdmissionDependencies } from './admit.ts';
import { MAX_BODY_BYTES, isFailure, readBody, unreadable } from './calls/read-body.ts';
import { readV1 } from './calls/signature-v1.ts';
import { readV3 } from './calls/signature-v3.ts';
import type { SignedCall } from './calls/signed-call.ts';
import { completeCall, isCallForm, readHead, withoutBody } from './calls/wire-call.ts';
import type { CallHead, WireCall } from './calls/wire-call.ts';
import { BusinessError, GatewayError, gatewayError, summaryOf } from './errors.ts';
import { withFaults } from './injected-faults.ts';
import type { AdmittedCall, CarryOut } from './injected-faults.ts';
import { chooseInstance } from './operations/instance.ts';
import { NonceUses } from './nonce-uses.ts';
import { findOperation } from './operations/registry.ts';
import type { QuotaRule } from './quota.ts';
import { renderBusinessError, renderGatewayError, renderResult } from './render.ts';
import type { RenderedResponse, ResponseFormat } from './render.ts';

/** What the API works with. */
export interface IotDependencies extends ExplainDependencies {
  readonly uploads: UploadDependencies;
  /** For lines that any stranger can cause. */
  readonly limitedLog: LimitedLog;
  readonly accounts: AccountDirectory;
  /** Signs download URLs. */
  readonly bucketKey: BucketKey;
  readonly nonces: NonceMemory;
  readonly quota: Quota;
  readonly quotaRule: QuotaRule;
  readonly recording: Recording;
  /** Undefined when no request fails on purpose. */
  readonly faults: FaultPlan | undefined;
  /** The clock that clients take their dates from, also after a test has moved the clock of the gateway. */
  readonly wallClock: Clock;
  /** Limits the memory of calls whose signature is not checked yet. */
  readonly unsigned: MemoryBudget;
}

const DRAIN_LIMITS = { bytes: 8 * 1024 * 1024, milliseconds: 2000 };

/**
 * Responds to an API call.
 * @param otherwise - given for a request that is an API call only if its body says so; handles it if it is none
 */
export type IotHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  otherwise?: (record: OpenRecord) => Promise<void>,
) => Promise<void>;

/** Makes the handler of the API. */
export function createIotRouter(deps: IotDependencies): IotHandler {
  const plain: CarryOut = (call) => runOperation(deps, call);
  const carryOut = deps.faults === undefined ? plain : withFaults(deps.faults, plain);
  const { clock, observer } = deps.uploads;
  const callDeps = {
    ...deps,
    carryOut,
    publicHosts: publicHosts(deps.publicUrl),
    admission: { ...deps, clock, observer, uses: new NonceUses() },
  };
  return async (request, response, otherwise) => {
    // Before the body is read: it is part of the time that a call takes, and a client may be gone during it.
    const record = openRecord(
      deps.recording,
      request,
      response,
      deps.uploads.ids.apiRequest(),
      'iot',
    );
    const exchange = { request, response, record };
    try {
      const isOwn = await handleCall(callDeps, exchange, otherwise === undefined);
      if (!isOwn) await otherwise?.(record);
    } catch (error) {
      record.fail();
      throw error;
    } finally {
      record.handled();
    }
  };
}

interface CallDependencies extends IotDependencies {
  readonly admission: AdmissionDependencies;
  readonly carryOut: CarryOut;
  /** Hosts that a client may have signed instead of the received one. */
  readonly publicHosts: readonly string[];
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly record: OpenRecord;
}

/**
 * Reads a call and responds to it. While it is read, its memory counts as that of an unsigned request.
 * @param isCall - whether it is a call whatever its body has
 * @returns false when it is none
 */
async function handleCall(
  deps: CallDependencies,
  exchange: Exchange,
  isCall: boolean,
): Promise<boolean> {
  const { record, request } = exchange;
  const share = deps.unsigned.open();
  try {
    const head = readHead(request);
    const body = await readBody(request, MAX_BODY_BYTES, share);
    if (body.kind === 'gone') {
      describeCall(deps, record, readSigned(deps, withoutBody(head)));
      record.vanish();
      return true;
    }
    const call = isFailure(body) ? undefined : completeCall(head, body);
    if (call === undefined) {
      if (!isFailure(body)) warnOfLostBody(deps.limitedLog, request);
      await refuseUnread(deps, exchange, head, unreadable(body));
      return true;
    }
    const isOwn = isCall || isCallForm(call.form);
    if (isOwn) await respond(deps, exchange, call);
    return isOwn;
  } finally {
    share.release();
  }
}

async function respond(deps: CallDependencies, exchange: Exchange, call: WireCall): Promise<void> {
  const { record, response } = exchange;
  const rendered = await runCall(deps, exchange, call);
  if (rendered === undefined) return;
  writeHead(deps, response, record, rendered);
  response.end(rendered.text);
}

/**
 * Responds to a call whose body is not read to its end, then reads some of it, so that the client can receive the
 * response.
 */
async function refuseUnread(
  deps: CallDependencies,
  exchange: Exchange,
  head: CallHead,
  error: GatewayError,
): Promise<void> {
  const { record, request, response } = exchange;
  const signed = readSigned(deps, withoutBody(head));
  const rendered = refuse(deps, exchange, signed, error);
  response.setHeader('Connection', 'close');
  writeHead(deps, response, record, rendered);
  response.write(rendered.text);
  await drain(request, DRAIN_LIMITS);
  response.end();
}

/** Notes which operation a call names, and whose access key, before anything of it is checked. */
function describeCall(
  { accounts }: IotDependencies,
  record: OpenRecord,
  { common: { accessKeyId, action } }: SignedCall,
): void {
  record.operation = action;
  record.account = accessKeyId === undefined ? undefined : accounts.find(accessKeyId)?.account.id;
}

function readSigned({ publicHosts }: CallDependencies, call: WireCall): SignedCall {
  const { authorizationV3 } = call;
  return authorizationV3 === undefined ? readV1(call) : readV3(call, authorizationV3, publicHosts);
}

/** Checks and runs a call. @returns undefined when the client is gone, so that no response is needed */
async function runCall(
  deps: CallDependencies,
  exchange: Exchange,
  call: WireCall,
): Promise<RenderedResponse | undefined> {
  const { record, request } = exchange;
  const signed = readSigned(deps, call);
  const { admission, uploads } = deps;
  try {
    const { account, operation, parameters } = await admit(admission, call.method, signed, record);
    record.operation = operation.name;
    record.account = account.id;
    const admitted = { request, record, signed, account, operation, parameters, uploads };
    return await deps.carryOut(admitted);
  } catch (error) {
    return refuse(deps, exchange, signed, error);
  }
}

async function runOperation(
  { accounts, bucketKey, publicUrl, uploads }: IotDependencies,
  { account, operation, parameters, record, request, signed }: AdmittedCall,
): Promise<RenderedResponse> {
  const context = {
    uploads,
    bucketKey,
    publicUrl,
    host: gatewayUrl(request, publicUrl),
    mountPath: mountPath(request),
    account,
    isSoleAccount: accounts.soleAccount !== undefined,
    instanceId: chooseInstance(account, parameters),
    requestId: record.requestId,
    record,
  };
  const result = await operation.run(context, { values: parameters, prefix: '' });
  return renderResult(formatOf(signed), operation.name, result);
}

function refuse(
  deps: IotDependencies,
  { record, request, response }: Exchange,
  signed: SignedCall,
  error: unknown,
): RenderedResponse {
  const { uploads } = deps;
  const { requestId } = record;
  const { accessKeyId, action } = signed.common;
  const isRefusal = error instanceof BusinessError || error instanceof GatewayError;
  if (!isRefusal) uploads.logger.error({ err: error, requestId, action }, 'a call failed');
  // None is a bug of the gateway, and all go away: the purge makes room, a store or a ledger comes back.
  const isAway = error instanceof StoreUnavailable || error instanceof LedgerUnavailable;
  const isFull = isDiskFull(error);
  const failure = isAway || isFull ? 'ServiceUnavailable' : 'InternalError';
  const reason = isFull ? 'disk_full' : undefined;
  const refusal = isRefusal ? error : gatewayError(failure, {}, {}, {}, reason);
  const { code } = refusal;
  record.refuse(code, refusal.reason);
  describeCall(deps, record, signed);
  const format = formatOf(signed);
  const rendered =
    refusal instanceof BusinessError
      ? renderBusinessError(format, action ?? '', refusal, requestId)
      : renderGatewayError(format, refusal, requestId, request.headers.host ?? '');
  const facts = {
    headers: request.headers,
    status: rendered.status,
    message: summaryOf(refusal),
    accessKeyId,
    evidence: evidenceOf(signed, refusal),
  };
  reportRefusal(deps, request, response, createRefusal(record, facts));
  return rendered;
}

/** @returns what a person needs to find out why a call is refused */
function evidenceOf(call: SignedCall, { facts, reason }: Refused): Evidence {
  const sent = {
    date: call.common.timestamp,
    ...keptFields(knownParameters(call)),
    ...(Object.keys(facts).length > 0 && { details: facts }),
  };
  if (reason !== 'signature_mismatch') return sent;
  try {
    const { provided, stringToSign } = call.signature();
    return { ...sent, signature: provided, stringToSign };
  } catch (error) {
    // The call has no signature that can be read.
    if (error instanceof GatewayError) return sent;
    throw error;
  }
}

/** Parameters of signature V1 that are no secrets. */
const SIGNING_PARAMETERS = [
  ...['Action', 'Version', 'Format', 'Timestamp'],
  ...['SignatureMethod', 'SignatureVersion'],
];
/** Of both signature versions. */
const NONCE = 'SignatureNonce';
const LIST_ENTRY = 'MultiFiles.';

/** @returns the parameters that are known: others may have a secret that was sent by mistake */
function knownParameters({ common, parameters }: SignedCall): ReadonlyMap<string, string> {
  const operation = findOperation(common.action ?? '');
  const own = operation?.parameters.map(({ name }) => name) ?? [];
  const known = new Set([...own, ...SIGNING_PARAMETERS]);
  const sent = parameters.filter(([name]) => known.has(name) || name.startsWith(LIST_ENTRY));
  const { nonce } = common;
  return new Map([...sent, ...(nonce === undefined ? [] : [[NONCE, nonce] as const])]);
}

type Refused = BusinessError | GatewayError;

function formatOf({ fallbackFormat, format }: SignedCall): ResponseFormat {
  return format ?? fallbackFormat;
}

function writeHead(
  { uploads }: IotDependencies,
  response: ServerResponse,
  record: OpenRecord,
  { headers, status, text }: RenderedResponse,
): void {
  record.bytesSent = Buffer.byteLength(text);
  const all: string[] = [];
  for (const [name, value] of Object.entries(headers)) all.push(name, value);
  all.push('Content-Length', String(record.bytesSent));
  all.push('Date', formatHttpDate(uploads.clock.now()));
  all.push('x-acs-request-id', record.requestId);
  response.writeHead(status, all);
}
