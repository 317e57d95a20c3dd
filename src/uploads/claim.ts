import { clearTimeout, setTimeout } from '../lib/timers.ts';
import { isKeyOfTenant, tenantSegment } from '../policy/object-key.ts';
import type { UploadDependencies } from './dependencies.ts';
import type { FirmwarePackage, PackageFile, SignMethod } from './firmware-package.ts';
import { findLatestUpload } from './latest-upload.ts';
import type { ClaimRecordOutcome } from './ports.ts';
import { sha256Of } from './sha256.ts';
import type { PurgeReason, StoredObject, StoredUpload, Upload } from './upload.ts';

/** One file of a package, as the caller describes it. Absent values are taken from the stored object. */
export interface ClaimedFile {
  readonly key: string;
  readonly name?: string;
  /** In bytes. */
  readonly size?: number;
  /** Digest by the package's sign method, hexadecimal in any case. */
  readonly sign?: string;
  /** Hexadecimal in any case. */
  readonly md5?: string;
}

/** A firmware package to create from uploads. */
export interface ClaimRequest {
  readonly package: Omit<
    FirmwarePackage,
    'id' | 'files' | 'createdAt' | 'modifiedAt' | 'verifyProgress'
  >;
  readonly files: readonly ClaimedFile[];
  /** There is only one account, so it may also claim uploads that no policy of this gateway is known of. */
  readonly soleAccount: boolean;
  /** How long to wait for a SHA-256 that is not known yet, in milliseconds. */
  readonly digestTimeout: number;
  /** Id of the request that asks for it. */
  readonly requestId?: string | undefined;
}

/** Why an upload cannot be claimed. Times are Unix milliseconds. */
export type ClaimRefusal =
  /** Never issued, or issued to another account. */
  | { readonly why: 'unknown' }
  /** Issued, but nothing was uploaded. */
  | { readonly why: 'notStored' }
  | { readonly why: 'late'; readonly deadline: number }
  | { readonly why: 'purged'; readonly reason: PurgeReason; readonly at: number }
  | { readonly why: 'claimed'; readonly packageName: string }
  /** The stored object has no bytes. */
  | { readonly why: 'empty' };

/** A value of the claim differs from the measured value. */
export interface Mismatch {
  readonly what: 'size' | 'sign' | 'md5';
  readonly claimed: string;
  readonly measured: string;
}

/** The result of a claim. Only `claimed` has changed uploads or packages. */
export type ClaimOutcome =
  | { readonly kind: 'claimed'; readonly package: FirmwarePackage }
  | { readonly kind: 'nameTaken' | 'versionTaken' | 'full' }
  /** A digest is still being computed, or another request has just changed the upload: try again. */
  | { readonly kind: 'busy' }
  /** `file` counts from 0. */
  | { readonly kind: 'notClaimable'; readonly file: number; readonly refusal: ClaimRefusal }
  | { readonly kind: 'mismatch'; readonly file: number; readonly mismatch: Mismatch };

/** Creates a firmware package that claims its uploads: all of them, or none. */
export async function claimUploads(
  deps: UploadDependencies,
  request: ClaimRequest,
): Promise<ClaimOutcome> {
  const { accountId, name, signMethod } = request.package;
  // Checked first: a client that has lost the response to its first try learns that the first try succeeded.
  const namesake = await deps.ledger.findPackageByName(accountId, name);
  if (namesake !== undefined) return { kind: 'nameTaken' };

  const now = deps.clock.now();
  const files: PackageFile[] = [];
  const locators: string[] = [];
  const storedAt: number[] = [];
  for (const [index, file] of request.files.entries()) {
    const found = await findClaimable(deps, request, file.key, now);
    if ('why' in found) return { kind: 'notClaimable', file: index, refusal: found };
    const measured = await measure(deps, found.object, signMethod, request.digestTimeout);
    if (measured === 'pending') return { kind: 'busy' };
    if (measured === 'gone') return explainLoss(deps, request, index);
    const mismatch = compare(file, measured);
    if (mismatch !== undefined) return { kind: 'mismatch', file: index, mismatch };
    files.push({
      ...(file.name !== undefined && { name: file.name }),
      key: file.key,
      ...measured,
    });
    locators.push(found.object.locator);
    storedAt.push(found.object.storedAt);
  }

  const firmwarePackage: FirmwarePackage = {
    ...request.package,
    id: deps.ids.firmware(),
    verifyProgress: 0,
    createdAt: now,
    modifiedAt: now,
    files,
  };
  const outcome = await deps.ledger.claim({
    package: firmwarePackage,
    locators,
    storedAfter: now - deps.rules.claimTtl,
    maxPackages: deps.rules.maxPackages,
    requestId: request.requestId,
  });
  if (outcome.kind === 'claimed') deps.observer.claimed?.(firmwarePackage, storedAt);
  return toClaimOutcome(deps, request, firmwarePackage, outcome);
}

async function toClaimOutcome(
  deps: UploadDependencies,
  request: ClaimRequest,
  firmwarePackage: FirmwarePackage,
  outcome: ClaimRecordOutcome,
): Promise<ClaimOutcome> {
  if (outcome.kind === 'claimed') return { kind: 'claimed', package: firmwarePackage };
  if (outcome.kind !== 'notClaimable') return { kind: outcome.kind };
  return explainLoss(deps, request, outcome.file);
}

/** Another request has changed an upload after it was found claimable. @returns the reason why it is refused now */
async function explainLoss(
  deps: UploadDependencies,
  request: ClaimRequest,
  index: number,
): Promise<ClaimOutcome> {
  const key = request.files[index]?.key ?? '';
  const found = await findClaimable(deps, request, key, deps.clock.now());
  return 'why' in found ? { kind: 'notClaimable', file: index, refusal: found } : { kind: 'busy' };
}

async function findClaimable(
  deps: UploadDependencies,
  request: ClaimRequest,
  key: string,
  now: number,
): Promise<StoredUpload | ClaimRefusal> {
  const { ledger, rules } = deps;
  const upload = await findLatestUpload(ledger, key);
  if (upload === undefined || !isOwn(upload, request)) return { why: 'unknown' };
  if (upload.state !== 'stored') return describeState(deps, request, upload);
  const deadline = upload.object.storedAt + rules.claimTtl;
  if (now >= deadline) return { why: 'late', deadline };
  return upload.object.size === 0 ? { why: 'empty' } : upload;
}

async function describeState(
  { ledger }: UploadDependencies,
  request: ClaimRequest,
  upload: Exclude<Upload, StoredUpload>,
): Promise<ClaimRefusal> {
  switch (upload.state) {
    case 'issued':
      return { why: 'notStored' };
    case 'claimed': {
      const owner = await ledger.findPackage(request.package.accountId, upload.packageId);
      return { why: 'claimed', packageName: owner?.name ?? upload.packageId };
    }
    case 'purging':
    case 'purged':
      return { why: 'purged', reason: upload.purge.reason, at: upload.purge.purgingSince };
  }
}

/**
 * Whether the upload was issued to the caller. The ledger may have forgotten that, after a crash, because a grant is not
 * flushed; then its key tells it. Uploads that were not issued here belong to the only account.
 */
function isOwn(
  { issue, key }: Upload,
  { package: { accountId, instanceId }, soleAccount }: ClaimRequest,
): boolean {
  if (issue !== undefined) return issue.accountId === accountId;
  return soleAccount || isKeyOfTenant(key, tenantSegment(accountId, instanceId));
}

interface Measured {
  readonly size: number;
  readonly sign: string;
  readonly md5: string;
}

async function measure(
  deps: UploadDependencies,
  object: StoredObject,
  signMethod: SignMethod,
  digestTimeout: number,
): Promise<Measured | 'pending' | 'gone'> {
  const { size, md5 } = object;
  if (signMethod === 'MD5') return { size, sign: md5, md5 };
  const sha256 = await within(digestTimeout, sha256Of(deps, object));
  if (sha256 === undefined) return 'gone';
  return sha256 === 'pending' ? sha256 : { size, sign: sha256, md5 };
}

/** @returns the result of the promise, or `pending` when it takes longer than `milliseconds` */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | 'pending'> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'pending'>((resolve) => {
    timer = setTimeout(resolve, milliseconds, 'pending');
  });
  // Avoids an unhandled rejection after the timeout: the next claim gets the result, or fails itself.
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function compare(file: ClaimedFile, measured: Measured): Mismatch | undefined {
  if (file.size !== undefined && file.size !== measured.size) {
    return { what: 'size', claimed: String(file.size), measured: String(measured.size) };
  }
  for (const what of ['sign', 'md5'] as const) {
    const claimed = file[what];
    if (claimed !== undefined && claimed.toLowerCase() !== measured[what]) {
      return { what, claimed, measured: measured[what] };
    }
  }
  return undefined;
}
