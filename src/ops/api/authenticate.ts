import type { Request, RequestHandler } from 'express';
import { requireOwnPage } from '../../console/own-page.ts';
import { isOwnOrigin } from '../../http/own-page.ts';
import { ALGORITHM_V3, sha256Hex } from '../../signatures/api-v3.ts';
import { foreignPageOf } from '../test-access.ts';
import { checkBasic, isBasic } from './basic.ts';
import { toCaller } from './callers.ts';
import type { Caller } from './callers.ts';
import { ApiRefusal } from './refusals.ts';
import { checkSigned } from './signed.ts';
import type { SignedDependencies } from './signed.ts';

/** What checks who calls. */
export interface AuthenticationDependencies extends SignedDependencies {
  /** The address of the gateway as clients see it; its own pages may call. */
  readonly publicUrl: string | undefined;
}

const callers = new WeakMap<object, Caller>();
const payloadHashes = new WeakMap<object, string>();
const EMPTY_HASH = sha256Hex('');

/** @returns who has sent a request that has passed {@link authenticate} */
export function callerOf(request: object): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error('the request was not authenticated');
  return caller;
}

/** @returns who has sent a request; undefined while it is not authenticated */
export function findCaller(request: object): Caller | undefined {
  return callers.get(request);
}

/** Lets a request pass whose sender has proved to have an access key. Reads nothing of its body. */
export function authenticate(deps: AuthenticationDependencies): RequestHandler {
  return async (request, _response, next) => {
    // Behind a proxy that changes the Host header, the browser still knows.
    const isOwn = (origin: string): boolean =>
      request.headers['sec-fetch-site'] === 'same-origin' ||
      isOwnOrigin(request, origin, deps.publicUrl);
    const page = foreignPageOf(request, isOwn);
    if (page !== undefined) {
      throw new ApiRefusal(403, 'ForeignPage', `the operator API is not for web pages of ${page}`);
    }
    callers.set(request, await identify(deps, request));
    next();
  };
}

async function identify(deps: AuthenticationDependencies, request: Request): Promise<Caller> {
  const { authorization } = request.headers;
  if (authorization === undefined) return identifySession(deps, request) ?? refuseAnonymous();
  if (isBasic(authorization)) return checkBasic(deps, request, authorization);
  if (!authorization.startsWith(ALGORITHM_V3)) return refuseAnonymous();
  const [path = '', query = ''] = splitTarget(request.originalUrl);
  const signed = await checkSigned(deps, request, { authorization, path, query });
  payloadHashes.set(request, signed.payloadHash);
  if (!hasBody(request)) checkPayload(request, EMPTY_HASH);
  return signed;
}

function refuseAnonymous(): never {
  const hint = `send Basic ID:SECRET of an access key, or sign the request (${ALGORITHM_V3})`;
  throw new ApiRefusal(401, 'MissingAuthorization', 'the request is not authenticated', hint);
}

/**
 * @returns who has signed in to the console and sends its cookie; undefined for a request without a valid one
 * @throws OperatorError when it may come from another page
 */
function identifySession(deps: AuthenticationDependencies, request: Request): Caller | undefined {
  const session = deps.sessions?.find(request);
  if (session === undefined) return undefined;
  requireOwnPage(request, deps.publicUrl);
  const { accessKey, account, expiresAt, id } = session;
  return { ...toCaller(deps, account, accessKey), session: { id, expiresAt } };
}

/** @returns the path from `/_gateway` on, and the query; below a mount, the target has another path in front of it */
function splitTarget(target: string): readonly string[] {
  const start = target.indexOf('?');
  const path = start === -1 ? target : target.slice(0, start);
  const own = Math.max(path.indexOf('/_gateway/'), 0);
  return [path.slice(own), start === -1 ? '' : target.slice(start + 1)];
}

/** A request without either header has no body (RFC 9112, 6.3). */
export function hasBody({ headers }: Pick<Request, 'headers'>): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

/** @returns the SHA-256 that was signed for the body of a request; undefined when it is not signed */
export function signedPayload(request: object): string | undefined {
  return payloadHashes.get(request);
}

/**
 * Checks the body of a signed request.
 * @param hash - SHA-256 of the bytes that have arrived, lower-case hexadecimal
 * @throws ApiRefusal when another body was signed
 */
export function checkPayload(request: object, hash: string): void {
  const announced = payloadHashes.get(request);
  if (announced === undefined || announced === hash) return;
  const message = `the SHA-256 of the body is ${hash}, but another one was signed`;
  throw new ApiRefusal(401, 'SignatureDoesNotMatch', message);
}
