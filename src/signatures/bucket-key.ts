import { createHmac } from 'node:crypto';
import type { ScopeV4 } from './credential-v4.ts';
import { signOssV1, ossV1StringToSign } from './oss-v1.ts';
import { signOssV4 } from './oss-v4.ts';
import { signPostV1, signPostV4 } from './post.ts';

/** The credential of the bucket: signs everything that OSS verifies. Its secret cannot be read back. */
export interface BucketKey {
  readonly accessKeyId: string;
  /**
   * @param now - by the clock of the gateway, in Unix milliseconds
   * @returns the key that verifies what was signed with an access key: this one, or one that it has replaced; undefined
   *   when there is none
   */
  find(accessKeyId: string, now: number): BucketKey | undefined;
  /** @param policy - in Base64 @returns the form field `Signature` */
  signPostV1(policy: string): string;
  /** @param policy - in Base64 @returns the form field `x-oss-signature` */
  signPostV4(scope: ScopeV4, policy: string): string;
  signRequestV1(stringToSign: string): string;
  signRequestV4(scope: ScopeV4, stringToSign: string): string;
  /**
   * Signs the download of an object by URL (V1).
   * @param expires - Unix seconds
   * @returns the query, without a question mark
   */
  signDownload(bucket: string, key: string, expires: number): string;
  /**
   * Computes what a client may have computed by mistake, to explain a wrong signature.
   * @param suffix - follows the secret
   */
  hmac(algorithm: 'sha1' | 'sha256', text: string, suffix: string): Buffer;
}

/** Wraps an access key, so that its secret cannot be read. */
export function createBucketKey(accessKeyId: string, secret: string): BucketKey {
  const bucketKey: BucketKey = {
    accessKeyId,
    find: (id) => (id === accessKeyId ? bucketKey : undefined),
    signPostV1: (policy) => signPostV1(secret, policy),
    signPostV4: (scope, policy) => signPostV4(secret, scope, policy),
    signRequestV1: (stringToSign) => signOssV1(secret, stringToSign),
    signRequestV4: (scope, stringToSign) => signOssV4(secret, scope, stringToSign),
    hmac: (algorithm, text, suffix) =>
      createHmac(algorithm, secret + suffix)
        .update(text, 'utf8')
        .digest(),
    signDownload: (bucket, key, expires) => {
      const request = { method: 'GET', bucket, key, query: [], headers: new Map<string, string>() };
      const signature = signOssV1(secret, ossV1StringToSign(request, String(expires)));
      return new URLSearchParams({
        Expires: String(expires),
        OSSAccessKeyId: accessKeyId,
        Signature: signature,
      }).toString();
    },
  };
  return bucketKey;
}
