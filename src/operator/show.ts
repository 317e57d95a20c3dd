import type { FirmwarePackage } from '../uploads/firmware-package.ts';
import { statusName } from '../uploads/snapshot.ts';
import type { StoredObject, Upload } from '../uploads/upload.ts';
import type { PackageShape } from './package-shapes.ts';
import type { UploadShape } from './upload-shapes.ts';

/** Unix milliseconds as the shapes have them. */
export function iso(time: number): string {
  return new Date(time).toISOString();
}

/**
 * @param claimTtl - how long a stored upload can be claimed, in milliseconds
 * @param holder - the firmware package that has claimed it, when it is known
 */
export function showUpload(
  upload: Upload,
  claimTtl: number,
  holder?: FirmwarePackage,
): UploadShape {
  const { issue, key, state } = upload;
  const base = {
    ...{ key, state },
    ...(issue && {
      accountId: issue.accountId,
      issuedAt: iso(issue.issuedAt),
      policyExpiresAt: iso(issue.policyExpiresAt),
    }),
  };
  switch (upload.state) {
    case 'issued':
      return base;
    case 'stored': {
      const { object } = upload;
      const claimUntil = iso(object.storedAt + claimTtl);
      return { ...base, ...showObject(object), body: object.locator, claimUntil };
    }
    case 'claimed': {
      const { object, packageId } = upload;
      return {
        ...{ ...base, ...showObject(object), body: object.locator, firmwareId: packageId },
        ...(holder && { packageName: holder.name, packageVersion: holder.destVersion }),
      };
    }
    case 'purging':
    case 'purged': {
      const { purgedAt, purgingSince, reason } = upload.purge;
      return {
        ...{ ...base, ...showObject(upload.object), purgeReason: reason },
        purgingSince: iso(purgingSince),
        ...(purgedAt === undefined ? { body: upload.object.locator } : { purgedAt: iso(purgedAt) }),
      };
    }
  }
}

function showObject({ crc64, headers, md5, sha256, size, storedAt }: StoredObject) {
  const contentType = headers['content-type'];
  return {
    ...{ size, md5, crc64 },
    ...(sha256 !== undefined && { sha256 }),
    ...(contentType !== undefined && { contentType }),
    storedAt: iso(storedAt),
  };
}

export function showPackage(found: FirmwarePackage): PackageShape {
  const { accountId, description, instanceId, moduleName, productKey, srcVersion } = found;
  return {
    firmwareId: found.id,
    name: found.name,
    version: found.destVersion,
    ...(srcVersion !== undefined && { srcVersion }),
    ...{ moduleName, accountId },
    ...(instanceId !== undefined && { instanceId }),
    ...(productKey !== undefined && { productKey }),
    ...(description !== undefined && { description }),
    status: statusName(found.status),
    verifyProgress: found.verifyProgress,
    signMethod: found.signMethod,
    files: found.files.map((file) => ({ ...file })),
    createdAt: iso(found.createdAt),
    modifiedAt: iso(found.modifiedAt),
  };
}
