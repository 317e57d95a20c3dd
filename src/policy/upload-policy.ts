import type { PolicyDocument } from './policy-document.ts';

/** What a policy allows to upload. */
export interface UploadPolicyOptions {
  readonly bucket: string;
  /** The only object key that may be written. */
  readonly key: string;
  /** Unix milliseconds. */
  readonly expiration: number;
  /** Size limit of the file, in bytes. */
  readonly maxBytes: number;
}

/**
 * Makes the policy document of an issued upload: this bucket, exactly this key, and a file of 0 to `maxBytes` bytes.
 * The platform's own policy has a `content-length-range`; its other conditions are unverified.
 */
export function uploadPolicy(options: UploadPolicyOptions): PolicyDocument {
  const { bucket, key, expiration, maxBytes } = options;
  return {
    expiration,
    conditions: [
      { kind: 'eq', field: 'bucket', value: bucket },
      { kind: 'eq', field: 'key', value: key },
      { kind: 'content-length-range', min: 0, max: maxBytes },
    ],
  };
}
