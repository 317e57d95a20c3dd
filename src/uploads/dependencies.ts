import type { Clock } from '../lib/clock.ts';
import type { Ids } from '../lib/ids.ts';
import type { Logger } from '../lib/logger.ts';
import type { ActiveUploads } from './active-uploads.ts';
import type { UploadLimits } from './limits.ts';
import type { ObjectStore, Observer, UploadLedger } from './ports.ts';

/** The rules of an upload's life that an operator can set. Times are milliseconds, sizes bytes. */
export interface UploadRules {
  readonly bucket: string;
  /** How long a signed form is valid. */
  readonly policyTtl: number;
  /** How long a stored upload can be claimed. */
  readonly claimTtl: number;
  readonly maxUploadBytes: number;
  /** How many firmware packages an account may have in one instance. */
  readonly maxPackages: number;
  /** How long a firmware package is kept; `off` or absent: until it is deleted. */
  readonly claimedRetention?: number | 'off' | undefined;
  /** How long an `issued` upload is kept after its policy has expired. */
  readonly issuedRetention: number;
  /** How long a tombstone is kept. */
  readonly tombstoneRetention: number;
}

/** Signs policies without giving out the secret of the bucket key. */
export interface PolicySigner {
  readonly accessKeyId: string;
  /** @param policy - base64 text. @returns the form's `Signature` */
  sign(policy: string): string;
}

/** What the functions of `uploads/` work with. */
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
  /** @returns the id of the account that a key was made for. Absent: no key names its account */
  readonly ownerOf?: (key: string) => string | undefined;
  /** Absent: nothing is limited. */
  readonly limits?: UploadLimits | undefined;
}
