import type { IncomingMessage } from 'node:http';
import { pause, resetConnection, corruptResponse } from '../faults/connection-faults.ts';
import type { Fault } from '../faults/fault-plan.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import { TIMESTAMP_SHAPE } from './calls/freshness.ts';
import { MAX_BODY_BYTES } from './calls/read-body.ts';
import type { SignedCall } from './calls/signed-call.ts';
import { BUSINESS_ERRORS, BusinessError, GATEWAY_ERRORS, GatewayError, fill } from './errors.ts';
import type { BusinessCode } from './errors.ts';
import type { Operation } from './operations/operation.ts';
import { OPERATIONS } from './operations/registry.ts';
import { toUtc } from './utc.ts';

/** A call that would be carried out now. */
export interface ReadyCall {
  readonly request: IncomingMessage;
  readonly signed: SignedCall;
  readonly operation: Operation;
  readonly parameters: ReadonlyMap<string, string>;
  readonly uploads: Pick<UploadDependencies, 'clock' | 'rules'>;
}

const MISSING = 'Missing{name}';
const INVALID = 'Invalid{name}';
/** What `Invalid{name}` is said of: see `admit`. */
const INVALID_NAMES = ['Version', 'SignatureNonce'];

/** @returns every operation with the codes that it, or the layer in front of it, can refuse with */
export function faultCodes(): Map<string, readonly string[]> {
  const general = Object.keys(GATEWAY_ERRORS).filter((code) => !code.includes('{'));
  const invalid = INVALID_NAMES.map((name) => fill(INVALID, { name }));
  return new Map(
    OPERATIONS.map(({ name, parameters }) => [
      name,
      [
        ...general,
        ...invalid,
        ...parameters.flatMap((each) =>
          each.required ? [fill(MISSING, { name: each.name })] : [],
        ),
        ...Object.keys(BUSINESS_ERRORS),
      ],
    ]),
  );
}

/**
 * Lets a call fail as it is ordered.
 * @returns whether anybody still waits for the call to be carried out
 * @throws GatewayError or BusinessError for an ordered refusal
 */
export async function injectFault(fault: Fault | undefined, call: ReadyCall): Promise<boolean> {
  switch (fault?.kind) {
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
    case undefined:
      corruptResponse(call.request, fault);
      return true;
  }
}

/** Until when a throttled client is told to wait, in milliseconds: the length of a quota's period. */
const RETRY_AFTER = '1000';

function refusal(
  fault: Extract<Fault, { kind: 'refuse' }>,
  call: ReadyCall,
): GatewayError | BusinessError {
  const { code } = fault;
  const details = { ...usualDetails(code, call), ...fault.details };
  if (isBusinessCode(code)) {
    return new BusinessError(code, fault.message ?? fill(BUSINESS_ERRORS[code], details));
  }
  const { message, status } = gatewayFacts(code);
  const headers = code === 'Throttling.User' ? { 'x-acs-retry-after': RETRY_AFTER } : {};
  return new GatewayError(code, status, fault.message ?? fill(message, details), headers);
}

function isBusinessCode(code: string): code is BusinessCode {
  return Object.hasOwn(BUSINESS_ERRORS, code);
}

function gatewayFacts(code: string): { readonly status: number; readonly message: string } {
  const own = Object.entries(GATEWAY_ERRORS).find(([name]) => name === code)?.[1];
  return own ?? GATEWAY_ERRORS[code.startsWith('Missing') ? MISSING : INVALID];
}

/** @returns the parameter that is named by a code such as `MissingFirmwareId` */
function nameIn(code: string): string | undefined {
  if (Object.hasOwn(GATEWAY_ERRORS, code)) return undefined;
  return /^(?:Missing|Invalid)(\w+)$/.exec(code)?.[1];
}

/** What a real refusal of this call would say, as far as the call knows; the rest is plain about where it is from. */
function usualDetails(code: string, call: ReadyCall): Record<string, string> {
  const { operation, parameters, signed, uploads } = call;
  const first = operation.parameters.find(({ required }) => required) ?? operation.parameters[0];
  const given = (name: string): string => parameters.get(name) ?? '';
  return {
    parameter: first?.name ?? '',
    reason: 'must be otherwise, as a test has ordered.',
    name: isBusinessCode(code) ? given('FirmwareName') : (nameIn(code) ?? first?.name ?? ''),
    version: given('DestVersion'),
    moduleName: parameters.get('ModuleName') ?? 'default',
    productKey: given('ProductKey'),
    firmwareId: given('FirmwareId'),
    expected: TIMESTAMP_SHAPE,
    now: toUtc(uploads.clock.now()),
    hint: '',
    stringToSign: signed.signature().stringToSign,
    maximum: String(uploads.rules.maxPackages),
    limit: String(MAX_BODY_BYTES),
  };
}
