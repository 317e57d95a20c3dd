import { claimUploads } from './claim.ts';
import type { ClaimedFile, ClaimOutcome } from './claim.ts';
import type { UploadDependencies } from './dependencies.ts';
import { deposit, withdraw } from './deposit.ts';
import type { Deposit, DepositedFile } from './deposit.ts';
import type { FirmwarePackage, SignMethod } from './firmware-package.ts';
import { PACKAGE_STATUS } from './firmware-package.ts';
import { allPackages, allUploads } from './list-all.ts';
import { forgetEverything } from './reset.ts';
import { takeSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import type { Upload } from './upload.ts';
import { setPackageStatus } from './verification.ts';
import type { VerificationResult } from './verification.ts';

/** The firmware package that `claim` makes, for a caller in the same process. */
export interface PackageInput {
  /** Unique in the account. */
  readonly name: string;
  readonly destVersion: string;
  /** 1 to 20; what is said of a file is compared with what was stored. */
  readonly files: readonly ClaimedFile[];
  /** Absent: the account, when there is only one. */
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
  /** @returns the upload that holds the key, or else the last one that did */
  find(key: string): Promise<Upload | undefined>;
  /** @returns every upload, oldest first, tombstones too */
  list(): Promise<Upload[]>;
  /** @returns every firmware package, also those of accounts that are not configured */
  packages(): Promise<FirmwarePackage[]>;
  /** @returns uploads and packages as plain data for assertions */
  snapshot(): Promise<Snapshot>;
  /**
   * Stores a file that did not come in a signed form. It has to be claimed like any other, or it is purged.
   * @throws DepositError when it is refused; whatever its bytes throw. Nothing is left of it then.
   */
  deposit(file: Deposit): Promise<DepositedFile>;
  /** Takes a deposited file back. @returns false when it was claimed, replaced or purged meanwhile */
  withdraw(file: DepositedFile): Promise<boolean>;
  /** Claims uploads for a new firmware package, as CreateOTAFirmware does: all of them, or none. */
  claim(input: PackageInput): Promise<ClaimOutcome>;
  /** Sets how far the verification of a package is. @returns false when there is no such package */
  setStatus(firmwareId: string, result: VerificationResult): Promise<boolean>;
  /** Deletes every package and every upload, tombstones too. For tests. */
  forgetAll(): Promise<void>;
}

/** How long a claim waits for a SHA-256, in milliseconds. */
const DIGEST_TIMEOUT_MS = 60_000;

/** @param accountIds - gives every account that is configured */
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
    find: async (key) => (await ledger.findUpload(key)) ?? (await ledger.findPurged(key)),
    list: async () => {
      const all: Upload[] = [];
      for await (const upload of allUploads(ledger)) all.push(upload);
      return all;
    },
    packages: () => allPackages(ledger),
    snapshot: () => takeSnapshot(deps),
    deposit: (file) => deposit(deps, file),
    withdraw: (file) => withdraw(deps, file),
    claim: async ({ accountId = soleAccount(), files, ...wanted }) => {
      if (accountId === undefined) throw new Error('name the account: there are several');
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
