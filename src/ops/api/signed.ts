import type { IncomingMessage } from 'node:http';
import type { NonceMemory } from '../../accounts/ports.ts';
import { TIMESTAMP_SHAPE, nonceExpiry, parseTimestamp } from '../../http/call-date.ts';
import { isFresh } from '../../http/client-date.ts';
import { withPublicHosts } from '../../http/public-host.ts';
import type { Clock } from '../../lib/clock.ts';
import {
  HEADERS_V3,
  MUST_BE_SIGNED_V3,
  PAYLOAD_HASH_V3,
  apiV3StringToSign,
  parseAuthorizationV3,
  signApiV3,
} from '../../signatures/api-v3.ts';
import type { ApiV3Request, AuthorizationV3 } from '../../signatures/api-v3.ts';
import { equalInConstantTime } from '../../signatures/constant-time.ts';
import { checkToken, findKey, toCaller } from './callers.ts';
import type { Caller, KeyDependencies } from './callers.ts';
import { ApiRefusal } from './refusals.ts';

/** What checks signed requests. */
export interface SignedDependencies extends KeyDependencies {
  readonly nonces: NonceMemory;
  /** The clock by which clients date their requests. */
  readonly wallClock: Clock;
  /** Hosts that a client may have signed instead of the received one, because a proxy may replace it. */
  readonly publicHosts: readonly string[];
}

/** Who has signed a request, and the SHA-256 that its body must have. */
export interface SignedCaller extends Caller {
  readonly payloadHash: string;
}

const API_VERSION = '2018-01-20';
const MAX_NONCE = 128;

/**
 * Checks a request that is signed as a call of the IoT API is (ACS3-HMAC-SHA256), with two differences: the path is
 * signed, from `/_gateway` on, and `x-acs-action` is the method, a space and that path. Checks everything but the bytes
 * of the body: those are not read yet.
 * @param path - the path as it was received, from `/_gateway` on
 * @param query - without its question mark
 * @throws ApiRefusal
 */
export async function checkSigned(
  deps: SignedDependencies,
  request: IncomingMessage,
  { authorization, path, query }: { authorization: string; path: string; query: string },
): Promise<SignedCaller> {
  const parsed = parseAuthorizationV3(authorization);
  if (parsed === undefined) {
    const hint =
      'Authorization: ACS3-HMAC-SHA256 Credential=...,SignedHeaders=...;...,Signature=...';
    throw new ApiRefusal(401, 'IncompleteSignature', 'the Authorization header is malformed', hint);
  }
  const headers = headersOf(request);
  const need = (name: string): string => {
    const value = headers.get(name);
    if (value !== undefined && value !== '') return value;
    throw new ApiRefusal(401, 'MissingHeader', `the header ${name} is missing`);
  };
  const [account, accessKey] = findKey(deps, parsed.accessKeyId);
  checkToken(deps, accessKey, headers.get(HEADERS_V3.securityToken));
  if (need(HEADERS_V3.version) !== API_VERSION) {
    throw new ApiRefusal(401, 'InvalidVersion', `${HEADERS_V3.version} must be ${API_VERSION}`);
  }
  const signedPath = checkAction(request, need(HEADERS_V3.action), path);
  const timestamp = checkTimestamp(deps, need(HEADERS_V3.timestamp));
  const nonce = need(HEADERS_V3.nonce);
  const payloadHash = need(PAYLOAD_HASH_V3).toLowerCase();
  checkSignature(deps, accessKey.secret, parsed, {
    ...{ headers, payloadHash, method: request.method ?? '', path: signedPath },
    query: [...new URLSearchParams(query)],
    signedHeaders: parsed.signedHeaders,
  });
  await burnNonce(deps, accessKey.id, nonce, timestamp);
  return { ...toCaller(deps, account, accessKey), payloadHash };
}

function checkSignature(
  { publicHosts }: SignedDependencies,
  secret: string,
  { signature, signedHeaders }: AuthorizationV3,
  request: ApiV3Request,
): void {
  const unsigned = MUST_BE_SIGNED_V3.find((name) => !signedHeaders.includes(name));
  if (unsigned !== undefined) {
    throw new ApiRefusal(401, 'IncompleteSignature', `SignedHeaders lacks ${unsigned}`);
  }
  const textFor = (headers: ApiV3Request['headers']): string =>
    apiV3StringToSign({ ...request, headers });
  const { headers } = request;
  const isRight = [headers, ...withPublicHosts(headers, publicHosts)].some((signed) =>
    equalInConstantTime(signature, signApiV3(secret, textFor(signed))),
  );
  if (isRight) return;
  const message = 'the signature does not match; the string to sign is in the hint';
  throw new ApiRefusal(401, 'SignatureDoesNotMatch', message, textFor(headers));
}

/** Only a request with a right signature uses up a nonce, so that no client can use up those of others. */
async function burnNonce(
  { clock, nonces }: SignedDependencies,
  accessKeyId: string,
  nonce: string,
  timestamp: number,
): Promise<void> {
  if (nonce.length > MAX_NONCE) {
    const message = `${HEADERS_V3.nonce} may have at most ${String(MAX_NONCE)} characters`;
    throw new ApiRefusal(401, 'InvalidSignatureNonce', message);
  }
  if (await nonces.burn(accessKeyId, nonce, nonceExpiry(timestamp, clock.now()))) return;
  const message = 'the signature nonce was used already';
  throw new ApiRefusal(401, 'SignatureNonceUsed', message, 'sign again');
}

/** @returns lower-case name -> value; values of a repeated header are sorted and joined by commas, as V3 signs them */
function headersOf({ headersDistinct }: IncomingMessage): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headersDistinct).map(([name, values = []]) => [
      name,
      [...values].sort().join(','),
    ]),
  );
}

/**
 * A proxy may decode the path on its way, but not a header, so the path in `x-acs-action` is the one that is signed.
 * @returns that path
 * @throws ApiRefusal when it is not the path, or the method, of the request
 */
function checkAction({ method = '' }: IncomingMessage, action: string, path: string): string {
  const [signedMethod, signedPath = ''] = action.split(' ', 2);
  if (signedMethod === method && decode(signedPath) === decode(path)) return signedPath;
  const message = `${HEADERS_V3.action} must be the method and the path: ${method} ${path}`;
  throw new ApiRefusal(401, 'InvalidAction', message);
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function checkTimestamp({ clock, wallClock }: SignedDependencies, text: string): number {
  const timestamp = parseTimestamp(text);
  if (timestamp === undefined) {
    const message = `${HEADERS_V3.timestamp} must be like ${TIMESTAMP_SHAPE}`;
    throw new ApiRefusal(401, 'InvalidTimeStamp.Format', message);
  }
  if (isFresh(timestamp, [clock.now(), wallClock.now()])) return timestamp;
  const now = new Date(clock.now()).toISOString();
  const message = `the date of the request is too far from the time of the gateway, ${now}`;
  throw new ApiRefusal(401, 'InvalidTimeStamp.Expired', message, 'set the clock of the client');
}
