import type { UploadDependencies } from './dependencies.ts';
import { PACKAGE_STATUS } from './firmware-package.ts';
import type { StatusName } from './snapshot.ts';

/** The result of a verification; on the real platform, devices report it. */
export interface VerificationResult {
  readonly status: StatusName;
  /** Percent; not changed when absent. */
  readonly verifyProgress?: number | undefined;
}

/** Sets the verification status of a firmware package. @returns false when there is no such package */
export async function setPackageStatus(
  { clock, ledger }: Pick<UploadDependencies, 'clock' | 'ledger'>,
  packageId: string,
  { status, verifyProgress }: VerificationResult,
): Promise<boolean> {
  const found = await ledger.findPackageById(packageId);
  if (found === undefined) return false;
  const outcome = await ledger.modifyPackage(found.accountId, packageId, {
    status: PACKAGE_STATUS[status],
    ...(verifyProgress !== undefined && { verifyProgress }),
    modifiedAt: clock.now(),
  });
  return outcome === 'modified';
}
