import { claimUploads } from './claim.ts';
import type { ClaimedFile, ClaimOutcome } from './claim.ts';
import type { UploadDependencies } from './dependencies.ts';
import { deposit, withdraw } from './deposit.ts';
import type { Deposit, DepositedFile } from './deposit.ts';
import type { FirmwarePackage, SignMethod } from './firmware-package.ts';
import { PACKAGE_STATUS } from './firmware-package.ts';
import { findLatestUpload } from './latest-upload.ts';
import { allPackages, allUploads } from './list-all.ts';
import { forgetEverything } from './reset.ts';
import { takeSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import type { Upload } from './upload.ts';
import { setPackageStatus } from './change-package.ts';
import type { VerificationResult } from './change-package.ts';

/** A firmware package to create from uploads, for a caller in the same process. */
export interface PackageInput {
  /** Unique in the account. */
  readonly name: string;
  readonly destVersion: string;
  /** 1 to 20 files. Sizes and digests given here are compared with those of the stored files. */
  readonly files: readonly ClaimedFile[];
  /** Absent: the only account. */
  readonly accountId?: string;
  readonly description?: string;
  /** `default` when absent. */
  readonly moduleName?: string;
  readonly productKey?: string;
  /** `MD5` when absent. */
  readonly signMethod?: SignMethod;
}

/** The uploads of a gateway, for code in the same process. */
export interface Uploads {
  /** @returns the upload that holds the key, or else the last one that held it */
  find(key: string): Promise<Upload | undefined>;
  /** @returns every upload, oldest first, including tombstones */
  list(): Promise<Upload[]>;
  /** @returns every firmware package, including those of accounts that are not configured */
  packages(): Promise<FirmwarePackage[]>;
  /** @returns uploads and packages as plain data for assertions */
  snapshot(): Promise<Snapshot>;
  /**
   * Stores a file without a signed form. It is purged if it is not claimed in time, as any other upload.
   * @throws DepositError when the file is refused; an error that `bytes` throws is rethrown. The file is not stored
   *   then.
   */
  deposit(file: Deposit): Promise<DepositedFile>;
  /**
   * Deletes a deposited file.
   * @param requestId - id of the request that asks for it; kept with the upload
   * @returns false when it was already claimed, replaced or purged
   */
  withdraw(file: DepositedFile, requestId?: string): Promise<boolean>;
  /** Creates a firmware package from uploads, as CreateOTAFirmware does: claims all of them, or none. */
  claim(input: PackageInput): Promise<ClaimOutcome>;
  /** Sets the verification status of a package. @returns false when there is no such package */
  setStatus(firmwareId: string, result: VerificationResult): Promise<boolean>;
  /** Deletes every package and every upload, including tombstones. For tests. */
  forgetAll(): Promise<void>;
}

/** How long a claim waits for a SHA-256, in milliseconds. */
const DIGEST_TIMEOUT_MS = 60_000;

/** @param accountIds - returns the ids of the configured accounts */
export function createUploads(
  deps: UploadDependencies,
  accountIds: () => readonly string[],
): Uploads {
  const { ledger } = deps;
  const soleAccount = (): string | undefined => {
    const [only, ...others] = accountIds();
    return others.length === 0 ? only : undefined;
  };
  return {
    find: (key) => findLatestUpload(ledger, key),
    list: async () => {
      const all: Upload[] = [];
      for await (const upload of allUploads(ledger)) all.push(upload);
      return all;
    },
    packages: () => allPackages(ledger),
    snapshot: () => takeSnapshot(deps),
    deposit: (file) => deposit(deps, file),
    withdraw: (file, requestId) => withdraw(deps, file, requestId),
    claim: async ({ accountId = soleAccount(), files, ...wanted }) => {
      if (accountId === undefined)
        throw new Error('accountId is required: there are several accounts');
      return claimUploads(deps, {
        package: {
          moduleName: 'default',
          signMethod: 'MD5',
          ...wanted,
          accountId,
          differential: false,
          status: PACKAGE_STATUS.notNeeded,
        },
        files,
        soleAccount: soleAccount() !== undefined,
        digestTimeout: DIGEST_TIMEOUT_MS,
      });
    },
    setStatus: (firmwareId, result) => setPackageStatus(deps, firmwareId, result),
    forgetAll: () => forgetEverything(deps),
  };
}
