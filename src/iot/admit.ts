import { isDisabled } from '../accounts/accounts.ts';
import type { Account, AccountDirectory, Credential } from '../accounts/accounts.ts';
import type { NonceMemory, Quota } from '../accounts/ports.ts';
import { MAX_SKEW, isFresh, skewOf } from '../http/client-date.ts';
import type { Clock } from '../lib/clock.ts';
import { hasNul, withoutNul } from '../lib/nul.ts';
import type { OpenRecord } from '../http/request-record.ts';
import type { Observer } from '../uploads/ports.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import { equalInConstantTime } from '../signatures/constant-time.ts';
import { TIMESTAMP_SHAPE, nonceExpiry, parseTimestamp } from '../http/call-date.ts';
import { MAX_PARAMETERS, MAX_PARAMETER_BYTES, findRepeated } from './calls/pairs.ts';
import type { SignedCall } from './calls/signed-call.ts';
import { MAX_FORM_BYTES } from './calls/wire-call.ts';
import { gatewayError } from './errors.ts';
import type { Operation } from './operations/operation.ts';
import { OPERATIONS, findOperation } from './operations/registry.ts';
import { quote } from './parameters/parameter.ts';
import type { NonceUses } from './nonce-uses.ts';
import type { QuotaRule } from './quota.ts';
import { toUtc } from '../lib/dates.ts';

/** What `admit` works with. */
export interface AdmissionDependencies {
  readonly accounts: AccountDirectory;
  /** Known only to say that its access key was used by mistake. */
  readonly bucketKey: Pick<BucketKey, 'find'>;
  readonly nonces: NonceMemory;
  readonly uses: NonceUses;
  readonly quota: Quota;
  readonly quotaRule: QuotaRule;
  readonly clock: Clock;
  readonly wallClock: Clock;
  readonly observer: Pick<Observer, 'dated'>;
}

/** What names a call in the log. */
type CallRecord = Pick<OpenRecord, 'requestId' | 'at'>;

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

const BUCKET_KEY =
  ' It is the access key of the bucket, which signs forms and downloads; API calls need the access key of an account.';
const ALLOWED_SKEW = `${String(MAX_SKEW / 60_000)} minutes`;

function shown(text: string): string {
  return text.slice(0, MAX_SHOWN);
}

/** @returns what a call of signature V1 has sent as `Format`; V3 has no such parameter */
function formatSent({ parameters }: SignedCall): string {
  return quote(parameters.find(([name]) => name === 'Format')?.[1] ?? '');
}

/**
 * Checks a call before its operation runs, in this order: method, number of parameters, repeated parameters, U+0000 in a
 * parameter, version, action, format, access key, timestamp, nonce present, length of the parameters, signature, nonce unused, quota,
 * required parameters. (The platform does not publish an order.) Only a correctly signed call uses up a nonce, so that
 * an attacker cannot use up the nonces of others.
 *
 * @throws GatewayError at the first check that fails
 */
export async function admit(
  deps: AdmissionDependencies,
  method: string,
  call: SignedCall,
  record: CallRecord,
): Promise<Admission> {
  if (method !== 'GET' && method !== 'POST') {
    throw gatewayError('UnsupportedHTTPMethod', { method: shown(method) });
  }
  checkNumber(call);
  checkRepetition(call);
  checkCharacters(call);
  checkVersion(call);
  const operation = chooseOperation(call);
  if (call.format === undefined) {
    throw gatewayError('InvalidParameter.Format', { found: formatSent(call) });
  }
  const credential = chooseCredential(deps, call);
  const timestamp = checkTimestamp(deps, call);
  const nonce = checkNonce(call);
  checkLength(call);
  checkSignature(call, credential);
  await burnNonce(deps, credential, { nonce, timestamp, record });
  await takeQuota(deps, credential.account, operation);
  const parameters = new Map(call.parameters);
  checkRequired(operation, parameters);
  return { account: credential.account, operation, parameters };
}

function checkNumber({ parameters }: SignedCall): void {
  const [name] = parameters[MAX_PARAMETERS] ?? [];
  if (name === undefined) return;
  const reason = `A call may have at most ${MAX_PARAMETERS} parameters.`;
  throw gatewayError('InvalidParameter', { name: shown(name), reason });
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
    throw gatewayError('InvalidParameter', { name: shown(name), reason });
  }
}

/** Rejects repeated parameters: it is unclear which of two values is signed and which one is meant. */
function checkRepetition(call: SignedCall): void {
  const name = findRepeated(call.parameters);
  if (name === undefined) return;
  const reason = 'It is given more than once.';
  throw gatewayError('InvalidParameter', { name: shown(name), reason });
}

/** Rejects U+0000: no parameter needs it, and not every ledger can keep it. */
function checkCharacters({ parameters }: SignedCall): void {
  const found = parameters.find(([name, value]) => hasNul(name) || hasNul(value));
  if (found === undefined) return;
  const reason = 'It contains the character U+0000, which no name and no value may have.';
  throw gatewayError('InvalidParameter', { name: shown(withoutNul(found[0])), reason });
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
  if (operation !== undefined) return operation;
  const actions = OPERATIONS.map(({ name }) => name).join(', ');
  throw gatewayError('InvalidAction.NotFound', { action: quote(action), actions });
}

function chooseCredential(
  { accounts, bucketKey, clock }: AdmissionDependencies,
  call: SignedCall,
): Credential {
  const { accessKeyId, securityToken: token } = call.common;
  if (accessKeyId === undefined) throw call.missing('accessKeyId');
  const credential = accounts.find(accessKeyId);
  if (credential === undefined) {
    const isOfBucket = bucketKey.find(accessKeyId, clock.now()) !== undefined;
    throw gatewayError('InvalidAccessKeyId.NotFound', { hint: isOfBucket ? BUCKET_KEY : '' });
  }
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
    throw gatewayError('InvalidSecurityToken.Expired', { expiresAt: toUtc(expiresAt) });
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
    const found = quote(text);
    throw gatewayError('InvalidTimeStamp.Format', { expected: TIMESTAMP_SHAPE, found });
  }
  const times = [clock.now(), wallClock.now()];
  observer.dated?.(skewOf(timestamp, times));
  if (!isFresh(timestamp, times)) {
    const details = { now: toUtc(clock.now()), sent: text, allowed: ALLOWED_SKEW };
    throw gatewayError('InvalidTimeStamp.Expired', details);
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
  { accessKey: { id }, account }: Credential,
  {
    nonce,
    record: { at, requestId },
    timestamp,
  }: { readonly nonce: string; readonly timestamp: number; readonly record: CallRecord },
): Promise<void> {
  const { clock, nonces, uses } = deps;
  if (await nonces.burn(id, nonce, nonceExpiry(timestamp, clock.now()))) {
    uses.note(id, nonce, { accountId: account.id, requestId, at });
    return;
  }
  const first = uses.find(account.id, id, nonce);
  const facts = first && {
    FirstRequestId: first.requestId,
    FirstUsedAt: new Date(first.at).toISOString(),
  };
  throw gatewayError('SignatureNonceUsed', {}, {}, facts);
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
  const times = perSecond === 1 ? '1 time' : `${String(perSecond)} times`;
  const details = { operation: operation.name, times, wait: String(wait) };
  throw gatewayError('Throttling.User', details, { 'x-acs-retry-after': details.wait });
}

function checkRequired(operation: Operation, parameters: ReadonlyMap<string, string>): void {
  const missing = operation.parameters.find(
    ({ name, required }) => required && !parameters.has(name),
  );
  if (missing !== undefined) throw gatewayError('Missing{name}', { name: missing.name });
}
