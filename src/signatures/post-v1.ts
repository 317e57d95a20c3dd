import { hmacSha1Base64 } from './digests.ts';

/**
 * Signs a policy for a POST form, signature version 1 (OSS PostObject reference): Base64 of HMAC-SHA1.
 *
 * @param secret - of the access key, as it is
 * @param policy - the Base64 text of the form field, exactly as it is sent
 * @returns the form field `Signature`
 */
export function signPostV1(secret: string, policy: string): string {
  return hmacSha1Base64(secret, policy);
}
