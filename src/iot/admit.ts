import { isDisabled } from '../accounts/accounts.ts';
import type { Account, AccountDirectory, Credential } from '../accounts/accounts.ts';
import type { NonceMemory, Quota } from '../accounts/ports.ts';
import { isFresh, skewOf } from '../http/client-date.ts';
import type { Clock } from '../lib/clock.ts';
import type { Observer } from '../uploads/ports.ts';
import { equalInConstantTime } from '../signatures/constant-time.ts';
import { TIMESTAMP_SHAPE, nonceExpiry, parseTimestamp } from '../http/call-date.ts';
import { MAX_PARAMETERS, MAX_PARAMETER_BYTES, findRepeated } from './calls/pairs.ts';
import type { SignedCall } from './calls/signed-call.ts';
import { MAX_FORM_BYTES } from './calls/wire-call.ts';
import { gatewayError } from './errors.ts';
import type { Operation } from './operations/operation.ts';
import { findOperation } from './operations/registry.ts';
import type { QuotaRule } from './quota.ts';
import { toUtc } from './utc.ts';

/** What `admit` works with. */
export interface AdmissionDependencies {
  readonly accounts: AccountDirectory;
  readonly nonces: NonceMemory;
  readonly quota: Quota;
  readonly quotaRule: QuotaRule;
  readonly clock: Clock;
  readonly wallClock: Clock;
  readonly observer: Pick<Observer, 'dated'>;
}

/** A call that its operation may handle. */
export interface Admission {
  readonly account: Account;
  readonly operation: Operation;
  readonly parameters: ReadonlyMap<string, string>;
}

export const API_VERSION = '2018-01-20';
const MAX_NONCE_LENGTH = 128;
/** Characters of a parameter name that a message shows. */
const MAX_SHOWN = 80;

/**
 * Checks a call before its operation runs, in this order: method, number of parameters, repeated parameters, version,
 * action, format, access key, timestamp, nonce present, length of the parameters, signature, nonce unused, quota,
 * required parameters. (The platform does not publish an order.) Only a correctly signed call uses up a nonce, so that
 * an attacker cannot use up the nonces of others.
 *
 * @throws GatewayError at the first check that fails
 */
export async function admit(
  deps: AdmissionDependencies,
  method: string,
  call: SignedCall,
): Promise<Admission> {
  if (method !== 'GET' && method !== 'POST') throw gatewayError('UnsupportedHTTPMethod', {});
  checkNumber(call);
  checkRepetition(call);
  checkVersion(call);
  const operation = chooseOperation(call);
  if (call.format === undefined) throw gatewayError('InvalidParameter.Format', {});
  const credential = chooseCredential(deps, call);
  const timestamp = checkTimestamp(deps, call);
  const nonce = checkNonce(call);
  checkLength(call);
  checkSignature(call, credential);
  await burnNonce(deps, credential, nonce, timestamp);
  await takeQuota(deps, credential.account, operation);
  const parameters = new Map(call.parameters);
  checkRequired(operation, parameters);
  return { account: credential.account, operation, parameters };
}

function checkNumber({ parameters }: SignedCall): void {
  const [name] = parameters[MAX_PARAMETERS] ?? [];
  if (name === undefined) return;
  const reason = `A call may have at most ${MAX_PARAMETERS} parameters.`;
  throw gatewayError('InvalidParameter', { name: name.slice(0, MAX_SHOWN), reason });
}

/** Runs before the signature check, because building the canonical form is the most expensive step. */
function checkLength({ formBytes, parameters }: SignedCall): void {
  if (formBytes > MAX_FORM_BYTES) {
    throw gatewayError('RequestBodyTooLarge', { limit: String(MAX_FORM_BYTES) });
  }
  let bytes = 0;
  for (const [name, value] of parameters) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
    if (bytes <= MAX_PARAMETER_BYTES) continue;
    const reason = `All parameters may have at most ${MAX_PARAMETER_BYTES} bytes together.`;
    throw gatewayError('InvalidParameter', { name: name.slice(0, MAX_SHOWN), reason });
  }
}

/** Rejects repeated parameters: it is unclear which of two values is signed and which one is meant. */
function checkRepetition(call: SignedCall): void {
  const name = findRepeated(call.parameters);
  if (name === undefined) return;
  const shown = name.slice(0, MAX_SHOWN);
  throw gatewayError('InvalidParameter', { name: shown, reason: 'It is given more than once.' });
}

function checkVersion(call: SignedCall): void {
  const { version } = call.common;
  if (version === undefined) throw call.missing('version');
  if (version === API_VERSION) return;
  const reason = `This is the API of version ${API_VERSION}.`;
  throw gatewayError('Invalid{name}', { name: 'Version', reason });
}

function chooseOperation(call: SignedCall): Operation {
  const { action } = call.common;
  if (action === undefined) throw call.missing('action');
  const operation = findOperation(action);
  if (operation === undefined) throw gatewayError('InvalidAction.NotFound', {});
  return operation;
}

function chooseCredential(
  { accounts, clock }: AdmissionDependencies,
  call: SignedCall,
): Credential {
  const { accessKeyId, securityToken: token } = call.common;
  if (accessKeyId === undefined) throw call.missing('accessKeyId');
  const credential = accounts.find(accessKeyId);
  if (credential === undefined) throw gatewayError('InvalidAccessKeyId.NotFound', {});
  const { expiresAt, securityToken } = credential.accessKey;
  if (isDisabled(credential.accessKey, clock.now()))
    throw gatewayError('InvalidAccessKeyId.Inactive', {});
  // A permanent key needs no token. If the call has one, it is signed but otherwise ignored.
  if (securityToken === undefined) return credential;
  if (token === undefined) throw call.missing('securityToken');
  if (!equalInConstantTime(token, securityToken)) {
    throw gatewayError('InvalidSecurityToken.MismatchWithAccessKey', {});
  }
  if (expiresAt !== undefined && clock.now() >= expiresAt) {
    throw gatewayError('InvalidSecurityToken.Expired', {});
  }
  return credential;
}

function checkTimestamp(
  { clock, observer, wallClock }: AdmissionDependencies,
  call: SignedCall,
): number {
  const { timestamp: text } = call.common;
  if (text === undefined) throw call.missing('timestamp');
  const timestamp = parseTimestamp(text);
  if (timestamp === undefined) {
    throw gatewayError('InvalidTimeStamp.Format', { expected: TIMESTAMP_SHAPE });
  }
  const times = [clock.now(), wallClock.now()];
  observer.dated?.(skewOf(timestamp, times));
  if (!isFresh(timestamp, times)) {
    throw gatewayError('InvalidTimeStamp.Expired', { now: toUtc(clock.now()) });
  }
  return timestamp;
}

function checkNonce(call: SignedCall): string {
  const { nonce } = call.common;
  if (nonce === undefined) throw call.missing('nonce');
  if (nonce.length <= MAX_NONCE_LENGTH) return nonce;
  const reason = `It may have at most ${MAX_NONCE_LENGTH} characters.`;
  throw gatewayError('Invalid{name}', { name: 'SignatureNonce', reason });
}

function checkSignature(call: SignedCall, { accessKey }: Credential): void {
  const { hint, isMadeWith, stringToSign } = call.signature();
  if (isMadeWith(accessKey.secret)) return;
  throw gatewayError('SignatureDoesNotMatch', { hint, stringToSign });
}

async function burnNonce(
  deps: AdmissionDependencies,
  { accessKey }: Credential,
  nonce: string,
  timestamp: number,
): Promise<void> {
  const expiry = nonceExpiry(timestamp, deps.clock.now());
  const isNew = await deps.nonces.burn(accessKey.id, nonce, expiry);
  if (!isNew) throw gatewayError('SignatureNonceUsed', {});
}

async function takeQuota(
  { quota, quotaRule }: AdmissionDependencies,
  account: Account,
  operation: Operation,
): Promise<void> {
  if (quotaRule === 'off') return;
  const perSecond = quotaRule === 'on' ? operation.perSecond : quotaRule;
  const wait = await quota.take(account.id, operation.name, perSecond);
  if (wait === undefined) return;
  // Milliseconds (@alicloud/openapi-core).
  throw gatewayError('Throttling.User', {}, { 'x-acs-retry-after': String(wait) });
}

function checkRequired(operation: Operation, parameters: ReadonlyMap<string, string>): void {
  const missing = operation.parameters.find(
    ({ name, required }) => required && !parameters.has(name),
  );
  if (missing !== undefined) throw gatewayError('Missing{name}', { name: missing.name });
}
