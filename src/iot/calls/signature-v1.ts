import { apiV1StringToSign, signApiV1 } from '../../signatures/api-v1.ts';
import { equalInConstantTime } from '../../signatures/constant-time.ts';
import { gatewayError } from '../errors.ts';
import { quote } from '../parameters/parameter.ts';
import type { ResponseFormat } from '../render.ts';
import type { CommonParameters, PresentedSignature, SignedCall } from './signed-call.ts';
import type { WireCall } from './wire-call.ts';

/** The names are case-sensitive (rfancn/aliyun-ddns-client#13). */
const NAMES: Readonly<Record<keyof CommonParameters, string>> = {
  version: 'Version',
  action: 'Action',
  accessKeyId: 'AccessKeyId',
  timestamp: 'Timestamp',
  nonce: 'SignatureNonce',
  securityToken: 'SecurityToken',
};

const FORMATS: Readonly<Record<string, ResponseFormat>> = { json: 'json', xml: 'xml' };

/** Without Format the response is XML (IoT Platform "Common parameters"). */
const DEFAULT_FORMAT = 'xml';

/**
 * Reads a call of signature version 1.0: everything is a parameter in the query or in the urlencoded body (IoT
 * Platform "Common parameters"; @alicloud/pop-core).
 */
export function readV1(call: WireCall): SignedCall {
  const parameters = [...call.query, ...call.form];
  const get = (name: string): string | undefined => {
    const value = parameters.find(([each]) => each === name)?.[1];
    return value === '' ? undefined : value;
  };
  const format = get('Format')?.toLowerCase() ?? DEFAULT_FORMAT;
  return {
    common: {
      version: get(NAMES.version),
      action: get(NAMES.action),
      accessKeyId: get(NAMES.accessKeyId),
      timestamp: get(NAMES.timestamp),
      nonce: get(NAMES.nonce),
      securityToken: get(NAMES.securityToken),
    },
    format: Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined,
    fallbackFormat: DEFAULT_FORMAT,
    parameters,
    formBytes: call.formBytes,
    missing: (name) => gatewayError('Missing{name}', { name: NAMES[name] }),
    signature: () => presentedV1(call.method, parameters, get),
  };
}

function presentedV1(
  httpMethod: string,
  parameters: SignedCall['parameters'],
  get: (name: string) => string | undefined,
): PresentedSignature {
  const need = (name: string): string => {
    const value = get(name);
    if (value === undefined) throw gatewayError('Missing{name}', { name });
    return value;
  };
  const method = need('SignatureMethod');
  if (method !== 'HMAC-SHA1') {
    throw gatewayError('InvalidSignatureMethod', { expected: 'HMAC-SHA1', found: quote(method) });
  }
  if (need('SignatureVersion') !== '1.0') {
    const reason = 'Expected 1.0.';
    throw gatewayError('Invalid{name}', { name: 'SignatureVersion', reason });
  }
  const given = need('Signature');
  const stringToSign = apiV1StringToSign(httpMethod, parameters);
  return {
    provided: given,
    stringToSign,
    isMadeWith: (secret) => equalInConstantTime(given, signApiV1(secret, stringToSign)),
    hint: '',
  };
}
