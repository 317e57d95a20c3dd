import { Socket } from 'node:net';
import { findProxyHeader, isLocal, isLoopback, schemeOf } from '../../http/peer.ts';
import type { OriginRequest } from '../../http/peer.ts';
import { equalInConstantTime } from '../../signatures/constant-time.ts';
import { checkToken, findKey, toCaller } from './callers.ts';
import type { Caller, KeyDependencies } from './callers.ts';
import { ApiRefusal } from './refusals.ts';

/** @returns whether an Authorization header is of the scheme Basic */
export function isBasic(authorization: string): boolean {
  return /^basic /i.test(authorization);
}

/**
 * Checks HTTP Basic (RFC 7617) with an access key: `ID:SECRET`. It sends the secret itself, so it is only for clients on
 * this machine and for TLS.
 * @throws ApiRefusal
 */
export function checkBasic(
  deps: KeyDependencies,
  request: OriginRequest,
  authorization: string,
): Caller {
  requirePrivate(request);
  const text = Buffer.from(authorization.slice('basic '.length), 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) {
    const hint = 'send ID:SECRET of an access key, as curl -u does';
    throw new ApiRefusal(401, 'InvalidAuthorization', 'the Basic credentials lack a colon', hint);
  }
  const [account, accessKey] = findKey(deps, text.slice(0, colon));
  if (!equalInConstantTime(text.slice(colon + 1), accessKey.secret)) {
    const message = `the secret of the access key ${accessKey.id} is wrong`;
    throw new ApiRefusal(401, 'InvalidAccessKeySecret', message);
  }
  checkToken(deps, accessKey, undefined);
  return toCaller(deps, account, accessKey);
}

/** @throws ApiRefusal when others may read what the client sends */
function requirePrivate(request: OriginRequest): void {
  // A connection that is not a `Socket` comes from inside this process.
  if (!(request.socket instanceof Socket) || isLocal(request)) return;
  if (schemeOf(request) === 'https') return;
  const from = isLoopback(request)
    ? `through a proxy (${findProxyHeader(request.headers) ?? ''})`
    : `from ${request.socket.remoteAddress ?? 'an unknown address'}`;
  throw new ApiRefusal(
    403,
    'InsecureBasic',
    `Basic sends the secret in clear, so it is for this machine and for HTTPS only, not ${from}`,
    'use HTTPS (behind a proxy with OTA_GATEWAY_TRUSTED_PROXIES), or sign the request (ACS3-HMAC-SHA256)',
  );
}
