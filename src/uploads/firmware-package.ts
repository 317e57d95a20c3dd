/** The digest algorithm of a firmware package. */
export type SignMethod = 'MD5' | 'SHA256';

/** One file of a firmware package: a claimed upload, as the package describes it. */
export interface PackageFile {
  /** Its name in a package of several files; absent when the package was created from one FirmwareUrl. */
  readonly name?: string;
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** Digest by the sign method of the package, lower-case hexadecimal. */
  readonly sign: string;
  /** Lower-case hexadecimal. */
  readonly md5: string;
}

/** Verification of a package: the values of the API's `Status` (QueryOTAFirmware). */
export const PACKAGE_STATUS = {
  notNeeded: -1,
  unverified: 0,
  verified: 1,
  verifying: 2,
  failed: 3,
} as const;

/** The verification status of a package. */
export type PackageStatus = (typeof PACKAGE_STATUS)[keyof typeof PACKAGE_STATUS];

/** A firmware package: the product of CreateOTAFirmware. It owns 1 to 20 claimed uploads. */
export interface FirmwarePackage {
  readonly id: string;
  readonly accountId: string;
  readonly instanceId?: string;
  /** Unique in the account. */
  readonly name: string;
  readonly description?: string;
  readonly destVersion: string;
  /** Present for a differential package, optional for a full one. */
  readonly srcVersion?: string;
  readonly differential: boolean;
  readonly moduleName: string;
  readonly productKey?: string;
  readonly signMethod: SignMethod;
  readonly udi?: string;
  readonly status: PackageStatus;
  /** Percent of the verification that is done, 0 to 100. */
  readonly verifyProgress: number;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** Unix milliseconds. */
  readonly modifiedAt: number;
  readonly files: readonly PackageFile[];
}
