import type { RefusalReason } from '../../refusals/refusal-reason.ts';
import type { ClaimRefusal, ClaimOutcome, Mismatch } from '../../uploads/claim.ts';
import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import type { PurgeReason } from '../../uploads/upload.ts';
import { businessError } from '../errors.ts';
import type { BusinessError } from '../errors.ts';
import type { FileLabels } from '../parameters/package-files.ts';
import { toUtc } from '../../lib/dates.ts';
import { nameTaken } from './name-taken.ts';

/** What a refusal tells the caller of the claim it refuses. */
export interface ClaimContext {
  readonly wanted: Pick<FirmwarePackage, 'name' | 'destVersion' | 'moduleName' | 'productKey'>;
  /** In the order of the files. */
  readonly labels: readonly FileLabels[];
  readonly maxPackages: number;
}

/** Puts the failure of a claim into the words of the API. */
export function claimRefusal(
  outcome: Exclude<ClaimOutcome, { kind: 'claimed' }>,
  { labels, maxPackages, wanted }: ClaimContext,
): BusinessError {
  switch (outcome.kind) {
    case 'nameTaken':
      return nameTaken(wanted.name, undefined);
    case 'versionTaken':
      return businessError('iot.firmware.AlreadyExistedFirmwareVersion', {
        version: wanted.destVersion,
        moduleName: wanted.moduleName,
        productKey: wanted.productKey ?? '',
      });
    case 'full':
      return businessError('iot.firmware.FirmwareCountExceedMax', {
        maximum: String(maxPackages),
      });
    case 'busy':
      return businessError('iot.firmware.SystemBusy', {});
    case 'notClaimable':
      return notClaimableError(outcome.refusal, labels[outcome.file]?.url ?? '');
    case 'mismatch':
      return mismatchError(outcome.mismatch, labels[outcome.file]);
  }
}

const PURGE_REASONS: Readonly<Record<PurgeReason, string>> = {
  unclaimed: 'because no firmware package was made of it in time',
  replaced: 'because another upload replaced it',
  deleted: 'because it was deleted',
  retired: 'because its firmware package was older than this gateway keeps packages',
};

function notClaimableError(refusal: ClaimRefusal, parameter: string): BusinessError {
  switch (refusal.why) {
    case 'empty':
      return businessError('iot.firmware.EmptyFirmwareFile', { parameter });
    case 'unknown':
      return invalidUrl(parameter, 'no such URL was issued to this account.', 'claim_unknown');
    case 'notStored':
      return invalidUrl(
        parameter,
        'it was issued, but nothing has been uploaded to it.',
        'claim_unknown',
      );
    case 'late':
      return invalidUrl(
        parameter,
        `too late: the firmware package had to be created before ${toUtc(refusal.deadline)}.`,
        'claim_late',
      );
    case 'purged':
      return invalidUrl(
        parameter,
        `the file was purged at ${toUtc(refusal.at)} ${PURGE_REASONS[refusal.reason]}.`,
        refusal.reason === 'unclaimed' ? 'claim_late' : 'claim_unknown',
      );
    case 'claimed':
      return invalidUrl(
        parameter,
        `the file belongs to the firmware package ${refusal.packageName} already.`,
        'claim_taken',
      );
  }
}

function invalidUrl(parameter: string, text: string, reason: RefusalReason): BusinessError {
  return businessError('iot.firmware.InvalidFirmwareUrl', { parameter, reason: text }, reason);
}

function mismatchError(
  { claimed, measured, what }: Mismatch,
  labels: FileLabels | undefined,
): BusinessError {
  const code =
    what === 'size' ? 'iot.firmware.InvalidFirmwareSize' : 'iot.firmware.InvalidFirmwareSign';
  return businessError(code, {
    parameter: labels?.[what] ?? '',
    reason: `says ${claimed}, but the stored file has ${measured}.`,
  });
}
