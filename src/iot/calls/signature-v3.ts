import { withPublicHosts } from '../../http/public-host.ts';
import {
  ALGORITHM_V3,
  HEADERS_V3,
  MUST_BE_SIGNED_V3,
  PAYLOAD_HASH_V3,
  apiV3StringToSign,
  parseAuthorizationV3,
  sha256Hex,
  signApiV3,
} from '../../signatures/api-v3.ts';
import type { AuthorizationV3 } from '../../signatures/api-v3.ts';
import { equalInConstantTime } from '../../signatures/constant-time.ts';
import { gatewayError } from '../errors.ts';
import type { GatewayError } from '../errors.ts';
import { quote } from '../parameters/parameter.ts';
import type { ResponseFormat } from '../render.ts';
import type { CommonParameters, PresentedSignature, SignedCall } from './signed-call.ts';
import type { WireCall } from './wire-call.ts';

const MAX_SHOWN = 128;

/**
 * Reads a call of signature version 3: common parameters are headers, the parameters of the operation are in the query
 * or in an urlencoded body (Alibaba Cloud "V3 request structure and signature method"; @alicloud/openapi-core).
 *
 * @param authorization - the Authorization header
 * @param publicHosts - hosts that may be signed instead of the received one, because a proxy may replace it
 */
export function readV3(
  call: WireCall,
  authorization: string,
  publicHosts: readonly string[],
): SignedCall {
  const parsed = parseAuthorizationV3(authorization);
  const get = (name: string): string | undefined => {
    const value = call.headers.get(name);
    return value === '' ? undefined : value;
  };
  return {
    common: {
      version: get(HEADERS_V3.version),
      action: get(HEADERS_V3.action),
      accessKeyId: parsed?.accessKeyId,
      timestamp: get(HEADERS_V3.timestamp),
      nonce: get(HEADERS_V3.nonce),
      securityToken: get(HEADERS_V3.securityToken),
    },
    format: acceptedFormat(call.headers.get('accept')),
    fallbackFormat: 'json',
    parameters: [...call.query, ...call.form],
    formBytes: call.formBytes,
    missing: (name) => missingV3(name, authorization),
    signature: () => {
      if (parsed === undefined) throw invalidAuthorization(authorization);
      return presentedV3(call, parsed, get(PAYLOAD_HASH_V3), publicHosts);
    },
  };
}

/** V3 has no Format: the response is JSON, unless `accept` allows only XML. */
function acceptedFormat(accept: string | undefined): ResponseFormat {
  const types = (accept ?? '').split(',').map((type) => type.split(';')[0]?.trim().toLowerCase());
  const acceptsXml = types.some((type) => type === 'application/xml' || type === 'text/xml');
  const acceptsJson = types.some((type) => type === 'application/json');
  return acceptsXml && !acceptsJson ? 'xml' : 'json';
}

function missingV3(name: keyof CommonParameters, authorization: string): GatewayError {
  switch (name) {
    case 'accessKeyId':
      return invalidAuthorization(authorization);
    case 'securityToken':
      return gatewayError('Missing{name}', { name: 'SecurityToken' });
    default:
      return gatewayError('MissingHeader', { name: HEADERS_V3[name] });
  }
}

function invalidAuthorization(authorization: string): GatewayError {
  const [algorithm = ''] = authorization.split(' ', 1);
  if (algorithm !== ALGORITHM_V3) {
    const found = quote(algorithm);
    return gatewayError('InvalidSignatureMethod', { expected: ALGORITHM_V3, found });
  }
  const shape = `Authorization: ${ALGORITHM_V3} Credential=...,SignedHeaders=...;...,Signature=...`;
  return gatewayError('IncompleteSignature', { reason: `Expected ${shape}` });
}

/** Cuts a text that is too long for a digest or a host, so that the rest of the message is not cut off. */
function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

function presentedV3(
  call: WireCall,
  { signature, signedHeaders }: AuthorizationV3,
  announcedHash: string | undefined,
  publicHosts: readonly string[],
): PresentedSignature {
  if (announcedHash === undefined) throw gatewayError('MissingHeader', { name: PAYLOAD_HASH_V3 });
  const unsigned = MUST_BE_SIGNED_V3.find((name) => !signedHeaders.includes(name));
  if (unsigned !== undefined) {
    throw gatewayError('IncompleteSignature', { reason: `SignedHeaders lacks ${unsigned}.` });
  }
  const payloadHash = sha256Hex(call.body);
  const { method, query } = call;
  // The path is always `/`: the SDKs add the path of an endpoint to the URL and to Host, but not to what they sign.
  const textFor = (headers: WireCall['headers']): string =>
    apiV3StringToSign({ method, path: '/', query, headers, signedHeaders, payloadHash });
  const stringToSign = textFor(call.headers);
  const isIntact = announcedHash.toLowerCase() === payloadHash;
  return {
    provided: signature,
    stringToSign,
    isMadeWith: (secret) => {
      if (!isIntact) return false;
      const signs = (text: string): boolean =>
        equalInConstantTime(signature, signApiV3(secret, text));
      if (signs(stringToSign)) return true;
      for (const headers of withPublicHosts(call.headers, publicHosts)) {
        if (signs(textFor(headers))) return true;
      }
      return false;
    },
    hint: isIntact
      ? hostHint(call.headers.get('host') ?? '', publicHosts)
      : `The SHA-256 of the body is ${payloadHash}, not ${shorten(announcedHash)}. `,
  };
}

/** Behind a proxy, a wrong host is a likely reason; without one, the message stays that of the platform. */
function hostHint(received: string, publicHosts: readonly string[]): string {
  const [publicHost] = publicHosts;
  if (publicHost === undefined || publicHosts.includes(received)) return '';
  return `The header host was received as ${shorten(received)}, and ${publicHost} of the public URL was tried, too. `;
}
