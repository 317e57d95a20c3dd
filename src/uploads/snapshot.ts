import type { UploadDependencies } from './dependencies.ts';
import type { FirmwarePackage, PackageFile, PackageStatus } from './firmware-package.ts';
import { PACKAGE_STATUS } from './firmware-package.ts';
import { findLatestUpload } from './latest-upload.ts';
import { allPackages, allUploads } from './list-all.ts';
import type { PurgeReason, StoredObject, Upload, UploadState } from './upload.ts';

/** Name of a package status. */
export type StatusName = keyof typeof PACKAGE_STATUS;

/** An upload in a snapshot. Times are ISO 8601. */
export interface UploadSnapshot {
  readonly key: string;
  readonly state: UploadState;
  readonly issuedAt?: string;
  /** In bytes. */
  readonly size?: number;
  /** Lower-case hexadecimal. */
  readonly md5?: string;
  /** Absent in a purged upload, because its headers are removed. */
  readonly contentType?: string;
  readonly storedAt?: string;
  /** The claim deadline of a stored upload. */
  readonly claimUntil?: string;
  /** Id of the firmware package that has claimed it. */
  readonly firmwareId?: string;
  readonly purgeReason?: PurgeReason;
  /** When purging began; the bytes may still exist. */
  readonly purgingSince?: string;
  /** When the deletion of the bytes was confirmed. */
  readonly purgedAt?: string;
}

/** A firmware package in a snapshot. */
export interface PackageSnapshot {
  readonly firmwareId: string;
  readonly firmwareName: string;
  readonly destVersion: string;
  readonly moduleName: string;
  readonly productKey?: string;
  readonly status: StatusName;
  /** Percent. */
  readonly verifyProgress: number;
  readonly files: readonly PackageFile[];
  readonly createdAt: string;
}

/** All uploads and packages as plain data, without hosts, locators and other values that differ between runs. */
export interface Snapshot {
  /** The time of the gateway's clock. */
  readonly time: string;
  /** Oldest first, including tombstones. */
  readonly uploads: readonly UploadSnapshot[];
  /** Oldest first. */
  readonly packages: readonly PackageSnapshot[];
}

/** Takes a snapshot of all uploads and all packages. */
export async function takeSnapshot(deps: UploadDependencies): Promise<Snapshot> {
  const uploads: UploadSnapshot[] = [];
  for await (const upload of allUploads(deps.ledger)) {
    uploads.push(showUpload(upload, deps.rules.claimTtl));
  }
  const packages = await allPackages(deps.ledger);
  return { time: iso(deps.clock.now()), uploads, packages: packages.map(showPackage) };
}

/** @returns the upload that holds a key, or else the last one that held it, as a snapshot shows it */
export async function findInSnapshot(
  { ledger, rules }: UploadDependencies,
  key: string,
): Promise<UploadSnapshot | undefined> {
  const upload = await findLatestUpload(ledger, key);
  return upload && showUpload(upload, rules.claimTtl);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function showUpload(upload: Upload, claimTtl: number): UploadSnapshot {
  const { issue, key, state } = upload;
  const base = { key, state, ...(issue && { issuedAt: iso(issue.issuedAt) }) };
  switch (upload.state) {
    case 'issued':
      return base;
    case 'stored': {
      const claimUntil = iso(upload.object.storedAt + claimTtl);
      return { ...base, ...showObject(upload.object), claimUntil };
    }
    case 'claimed':
      return { ...base, ...showObject(upload.object), firmwareId: upload.packageId };
    case 'purging':
    case 'purged': {
      const { purgedAt, purgingSince, reason } = upload.purge;
      return {
        ...base,
        ...showObject(upload.object),
        purgeReason: reason,
        purgingSince: iso(purgingSince),
        ...(purgedAt !== undefined && { purgedAt: iso(purgedAt) }),
      };
    }
  }
}

function showObject({ headers, md5, size, storedAt }: StoredObject) {
  const contentType = headers['content-type'];
  return { size, md5, ...(contentType !== undefined && { contentType }), storedAt: iso(storedAt) };
}

const STATUS_NAMES: Readonly<Record<PackageStatus, StatusName>> = {
  [PACKAGE_STATUS.notNeeded]: 'notNeeded',
  [PACKAGE_STATUS.unverified]: 'unverified',
  [PACKAGE_STATUS.verified]: 'verified',
  [PACKAGE_STATUS.verifying]: 'verifying',
  [PACKAGE_STATUS.failed]: 'failed',
};

/** @returns the name of a package status */
export function statusName(status: PackageStatus): StatusName {
  return STATUS_NAMES[status];
}

function showPackage(found: FirmwarePackage): PackageSnapshot {
  return {
    firmwareId: found.id,
    firmwareName: found.name,
    destVersion: found.destVersion,
    moduleName: found.moduleName,
    ...(found.productKey !== undefined && { productKey: found.productKey }),
    status: statusName(found.status),
    verifyProgress: found.verifyProgress,
    files: found.files,
    createdAt: iso(found.createdAt),
  };
}
