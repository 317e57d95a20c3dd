import type { Clock } from '../lib/clock.ts';
import type { Ids } from '../lib/ids.ts';
import type { Logger } from '../lib/logger.ts';
import type { ActiveUploads } from './active-uploads.ts';
import type { ObjectStore, Observer, UploadLedger } from './ports.ts';

/** The rules of an upload's life that an operator may set. Times are milliseconds, sizes bytes. */
export interface UploadRules {
  readonly bucket: string;
  /** How long a signed form may be used. */
  readonly policyTtl: number;
  /** How long a stored upload waits for its claim. */
  readonly claimTtl: number;
  readonly maxUploadBytes: number;
  /** How many firmware packages an account may have in one instance. */
  readonly maxPackages: number;
  /** How long an `issued` upload is remembered after its policy has expired. */
  readonly issuedRetention: number;
  /** How long a tombstone is kept. */
  readonly tombstoneRetention: number;
}

/** Signs policies. The secret of the bucket key stays behind it. */
export interface PolicySigner {
  readonly accessKeyId: string;
  /** @returns the form's Signature for a policy (the base64 text) */
  sign(policy: string): string;
}

/** What the use cases of an upload's life work with. */
export interface UploadDependencies {
  readonly ledger: UploadLedger;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly observer: Observer;
  readonly rules: UploadRules;
  readonly policySigner: PolicySigner;
  readonly activeUploads: ActiveUploads;
}
