import type { BucketKey } from '../signatures/bucket-key.ts';
import type { ScopeV4 } from '../signatures/credential-v4.ts';

/** A key that only verifies what was signed before another one replaced it. */
export interface PreviousKey {
  readonly key: BucketKey;
  /** When it ends, in Unix milliseconds; absent: it does not end. */
  readonly until?: number | undefined;
}

/** The keys of a bucket. */
export interface BucketKeys {
  readonly current: BucketKey;
  readonly previous: readonly PreviousKey[];
}

/**
 * The key of the bucket, and those that it has replaced. Only the current one signs. They can be replaced while the
 * gateway runs.
 */
export class BucketKeyRing implements BucketKey {
  #keys: BucketKeys;

  constructor(keys: BucketKeys) {
    this.#keys = keys;
  }

  /** Replaces all keys at once. */
  replace(keys: BucketKeys): void {
    this.#keys = keys;
  }

  get accessKeyId(): string {
    return this.#keys.current.accessKeyId;
  }

  find(accessKeyId: string, now: number): BucketKey | undefined {
    const { current, previous } = this.#keys;
    if (accessKeyId === current.accessKeyId) return current;
    return previous.find(
      ({ key, until = Infinity }) => key.accessKeyId === accessKeyId && now < until,
    )?.key;
  }

  signPostV1(policy: string): string {
    return this.#keys.current.signPostV1(policy);
  }

  signPostV4(scope: ScopeV4, policy: string): string {
    return this.#keys.current.signPostV4(scope, policy);
  }

  signRequestV1(stringToSign: string): string {
    return this.#keys.current.signRequestV1(stringToSign);
  }

  signRequestV4(scope: ScopeV4, stringToSign: string): string {
    return this.#keys.current.signRequestV4(scope, stringToSign);
  }

  signDownload(bucket: string, key: string, expires: number): string {
    return this.#keys.current.signDownload(bucket, key, expires);
  }

  hmac(algorithm: 'sha1' | 'sha256', text: string, suffix: string): Buffer {
    return this.#keys.current.hmac(algorithm, text, suffix);
  }
}
