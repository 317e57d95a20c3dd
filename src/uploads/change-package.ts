import type { UploadDependencies } from './dependencies.ts';
import type { FirmwarePackage } from './firmware-package.ts';
import { PACKAGE_STATUS } from './firmware-package.ts';
import type { PackageChange } from './ports.ts';
import type { StatusName } from './snapshot.ts';

type ChangeDependencies = Pick<UploadDependencies, 'clock' | 'ledger' | 'observer'>;

/** The result of a verification; on the real platform, devices report it. */
export interface VerificationResult {
  readonly status: StatusName;
  /** Percent; not changed when absent. */
  readonly verifyProgress?: number | undefined;
}

/** Sets the verification status of a firmware package. @returns false when there is no such package */
export async function setPackageStatus(
  deps: ChangeDependencies,
  packageId: string,
  { status, verifyProgress }: VerificationResult,
): Promise<boolean> {
  const found = await deps.ledger.findPackageById(packageId);
  if (found === undefined) return false;
  const outcome = await modifyPackage(deps, found, {
    status: PACKAGE_STATUS[status],
    ...(verifyProgress !== undefined && { verifyProgress }),
  });
  return outcome === 'modified';
}

/** Changes a firmware package. */
export async function modifyPackage(
  { clock, ledger, observer }: ChangeDependencies,
  { accountId, id }: Pick<FirmwarePackage, 'accountId' | 'id'>,
  change: Omit<PackageChange, 'modifiedAt'>,
): Promise<'modified' | 'notFound' | 'nameTaken'> {
  const outcome = await ledger.modifyPackage(accountId, id, { ...change, modifiedAt: clock.now() });
  if (outcome === 'modified') observer.modified?.(id);
  return outcome;
}

/**
 * Deletes a firmware package; the purge deletes its files.
 * @param requestId - id of the request that asks for it
 * @returns false when it is gone already
 */
export async function deletePackage(
  { clock, ledger, observer }: ChangeDependencies,
  found: FirmwarePackage,
  requestId?: string,
): Promise<boolean> {
  const { accountId, id } = found;
  const isDeleted = await ledger.deletePackage(accountId, id, clock.now(), requestId);
  if (isDeleted) observer.packageDeleted?.(found);
  return isDeleted;
}
