import type { IncomingMessage } from 'node:http';
import type { Account } from '../accounts/accounts.ts';
import { pause, resetConnection, corruptResponse } from '../faults/connection-faults.ts';
import type { Fault, FaultPlan } from '../faults/fault-plan.ts';
import type { OpenRecord } from '../http/request-record.ts';
import { fill } from '../lib/template.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import { TIMESTAMP_SHAPE } from '../http/call-date.ts';
import { MAX_BODY_BYTES } from './calls/read-body.ts';
import type { SignedCall } from './calls/signed-call.ts';
import { BUSINESS_ERRORS, BusinessError, GATEWAY_ERRORS, GatewayError } from './errors.ts';
import type { BusinessCode } from './errors.ts';
import type { Operation } from './operations/operation.ts';
import type { RenderedResponse } from './render.ts';
import { toUtc } from '../lib/dates.ts';

/** A call that has passed every check. */
export interface AdmittedCall {
  readonly request: IncomingMessage;
  readonly record: OpenRecord;
  readonly signed: SignedCall;
  readonly account: Account;
  readonly operation: Operation;
  readonly parameters: ReadonlyMap<string, string>;
  readonly uploads: Pick<UploadDependencies, 'clock' | 'rules'>;
}

/**
 * Carries out a call. @returns undefined when the client is gone
 * @throws GatewayError or BusinessError for a refusal
 */
export type CarryOut = (call: AdmittedCall) => Promise<RenderedResponse | undefined>;

/** Lets calls that would be carried out fail as a test has specified. */
export function withFaults(plan: FaultPlan, carryOut: CarryOut): CarryOut {
  return async (call) => {
    const fault = plan.take({ operation: call.operation.name });
    const goesOn = fault === undefined || (await applyFault(fault, call));
    return goesOn ? carryOut(call) : undefined;
  };
}

const MISSING = 'Missing{name}';
const INVALID = 'Invalid{name}';
/** @returns whether the call shall still be carried out; false when its client is gone */
async function applyFault(fault: Fault, call: AdmittedCall): Promise<boolean> {
  switch (fault.kind) {
    case 'refuse':
      throw refusal(fault, call);
    case 'reset':
      resetConnection(call.request);
      return false;
    case 'stall':
    case 'delay':
      return pause(call.request, fault.time);
    case 'slow':
    case 'truncate':
    case 'loseAnswer':
      corruptResponse(call.request, fault);
      return true;
  }
}

/** `x-acs-retry-after` of a throttled call, in milliseconds: the period of a quota. */
const RETRY_AFTER = '1000';

const INJECTED = 'ordered_fault';

function refusal(
  fault: Extract<Fault, { kind: 'refuse' }>,
  call: AdmittedCall,
): GatewayError | BusinessError {
  const { code } = fault;
  const details = { ...usualDetails(code, call), ...fault.details };
  if (isBusinessCode(code)) {
    return new BusinessError(code, fault.message ?? fill(BUSINESS_ERRORS[code], details), INJECTED);
  }
  const { message, status } = gatewayFacts(code);
  const headers = code === 'Throttling.User' ? { 'x-acs-retry-after': RETRY_AFTER } : {};
  return new GatewayError(code, status, fault.message ?? fill(message, details), {
    ...{ headers, facts: {}, reason: INJECTED },
  });
}

function isBusinessCode(code: string): code is BusinessCode {
  return Object.hasOwn(BUSINESS_ERRORS, code);
}

function gatewayFacts(code: string): { readonly status: number; readonly message: string } {
  const own = Object.entries(GATEWAY_ERRORS).find(([name]) => name === code)?.[1];
  return own ?? GATEWAY_ERRORS[code.startsWith('Missing') ? MISSING : INVALID];
}

/** @returns the parameter that a code such as `MissingFirmwareId` names */
function nameIn(code: string): string | undefined {
  if (Object.hasOwn(GATEWAY_ERRORS, code)) return undefined;
  return /^(?:Missing|Invalid)(\w+)$/.exec(code)?.[1];
}

/** Details as in a real refusal of this call, where the call has them; the other ones say that a test injected it. */
function usualDetails(code: string, call: AdmittedCall): Record<string, string> {
  const { operation, parameters, signed, uploads } = call;
  const first = operation.parameters.find(({ required }) => required) ?? operation.parameters[0];
  const given = (name: string): string => parameters.get(name) ?? '';
  return {
    parameter: first?.name ?? '',
    reason: 'is refused by a fault that a test injected.',
    name: isBusinessCode(code) ? given('FirmwareName') : (nameIn(code) ?? first?.name ?? ''),
    version: given('DestVersion'),
    moduleName: parameters.get('ModuleName') ?? 'default',
    productKey: given('ProductKey'),
    firmwareId: given('FirmwareId'),
    expected: TIMESTAMP_SHAPE,
    now: toUtc(uploads.clock.now()),
    found: '""',
    hint: '',
    method: call.request.method ?? '',
    action: operation.name,
    actions: operation.name,
    operation: operation.name,
    times: '1 time',
    wait: RETRY_AFTER,
    sent: signed.common.timestamp ?? '',
    allowed: '',
    expiresAt: toUtc(uploads.clock.now()),
    explanation: 'A fault that a test injected refuses it.',
    stringToSign: signed.signature().stringToSign,
    maximum: String(uploads.rules.maxPackages),
    limit: String(MAX_BODY_BYTES),
  };
}
