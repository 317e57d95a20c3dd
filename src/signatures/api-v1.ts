import { hmacSha1Base64 } from './digests.ts';
import { byCodeUnit } from './ordering.ts';
import { percentEncode } from './percent-encoding.ts';

/**
 * Makes the string to sign of an RPC call, signature version 1.0 (Alibaba Cloud "Request signatures" of the RPC
 * style; @alicloud/pop-core). The path of an RPC call is always `/`.
 *
 * @param method - of the HTTP request
 * @param parameters - decoded name-value pairs of query and form body together, empty values included; `Signature` is
 *   ignored
 */
export function apiV1StringToSign(
  method: string,
  parameters: Iterable<readonly [string, string]>,
): string {
  const canonical = [...parameters]
    .filter(([name]) => name !== 'Signature')
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join('&');
  return [method.toUpperCase(), percentEncode('/'), percentEncode(canonical)].join('&');
}

/**
 * @param secret - of the access key, unchanged; the `&` at the end of the signing key is added here
 * @returns the parameter `Signature`, Base64
 */
export function signApiV1(secret: string, stringToSign: string): string {
  return hmacSha1Base64(`${secret}&`, stringToSign);
}
