import type { FirmwarePackage } from '../uploads/firmware-package.ts';
import { statusName } from '../uploads/snapshot.ts';
import type { Claim, StoredObject, Upload } from '../uploads/upload.ts';
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
      ...(issue.requestId !== undefined && { issuedRequestId: issue.requestId }),
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
      const { claim, object, packageId } = upload;
      return {
        ...{ ...base, ...showObject(object), body: object.locator, firmwareId: packageId },
        ...showClaim(claim),
        ...(holder && { packageName: holder.name, packageVersion: holder.destVersion }),
      };
    }
    case 'purging':
    case 'purged': {
      const { purgedAt, purgingSince, reason, requestId } = upload.purge;
      return {
        ...{ ...base, ...showObject(upload.object), ...showClaim(upload.claim) },
        ...{ purgeReason: reason, purgingSince: iso(purgingSince) },
        ...(requestId !== undefined && { purgeRequestId: requestId }),
        ...(purgedAt === undefined ? { body: upload.object.locator } : { purgedAt: iso(purgedAt) }),
      };
    }
  }
}

/** @returns the response headers of an upload that has some, for its history: in lists they would be most of the text */
export function showHeaders(upload: Upload): Pick<UploadShape, 'headers'> {
  const headers = 'object' in upload ? upload.object.headers : {};
  return Object.keys(headers).length === 0 ? {} : { headers: { ...headers } };
}

function showClaim(claim: Claim | undefined): Pick<UploadShape, 'claimedAt' | 'claimedRequestId'> {
  if (claim === undefined) return {};
  const { claimedAt, requestId } = claim;
  return {
    claimedAt: iso(claimedAt),
    ...(requestId !== undefined && { claimedRequestId: requestId }),
  };
}

function showObject({ headers, requestId, peer, sha256, ...object }: StoredObject) {
  const { crc64, md5, size, storedAt } = object;
  const contentType = headers['content-type'];
  return {
    ...{ size, md5, crc64 },
    ...(sha256 !== undefined && { sha256 }),
    ...(contentType !== undefined && { contentType }),
    storedAt: iso(storedAt),
    ...(requestId !== undefined && { storedRequestId: requestId }),
    ...(peer !== undefined && { peer }),
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
