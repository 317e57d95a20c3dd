import { signingKeyV4 } from './credential-v4.ts';
import type { ScopeV4 } from './credential-v4.ts';
import { hmacSha1Base64, hmacSha256 } from './digests.ts';

/**
 * Signs a policy for a POST form, signature version 1 (OSS PostObject reference): Base64 of HMAC-SHA1.
 *
 * @param secret - of the access key, unchanged
 * @param policy - the Base64 text of the form field, exactly as it is sent
 * @returns the form field `Signature`
 */
export function signPostV1(secret: string, policy: string): string {
  return hmacSha1Base64(secret, policy);
}

/**
 * Signs a policy for a POST form, signature version 4 (OSS "Signature version 4"; alibabacloud-oss-go-sdk-v2
 * sample/post_object.go). The string to sign is the policy itself: there is no canonical request.
 *
 * @param secret - of the access key, unchanged
 * @param scope - day and region, as in the form field `x-oss-credential`
 * @param policy - the Base64 text of the form field, exactly as it is sent
 * @returns the form field `x-oss-signature`, lower-case hexadecimal
 */
export function signPostV4(secret: string, scope: ScopeV4, policy: string): string {
  return hmacSha256(signingKeyV4(secret, scope.date, scope.region), policy).toString('hex');
}
