import { claimRefusal } from '../../../../src/iot/operations/claim-refusal.ts';
import type { ClaimRefusal, ClaimOutcome } from '../../../../src/uploads/claim.ts';

const label = (file: number) => ({
  url: `MultiFiles.${file}.Url`,
  size: `MultiFiles.${file}.Size`,
  sign: `MultiFiles.${file}.SignValue`,
  md5: `MultiFiles.${file}.FileMd5`,
});
const context = {
  wanted: { name: 'fw', destVersion: '2.0', moduleName: 'MCU', productKey: 'lamp' },
  labels: [label(1), label(2)],
  maxPackages: 500,
};
const NOON = Date.UTC(2024, 3, 1, 12);
const at = '2024-04-01T12:00:00.000Z';

const translate = (outcome: Exclude<ClaimOutcome, { kind: 'claimed' }>): string[] => {
  const { code, message } = claimRefusal(outcome, context);
  return [code, message];
};

it.each([
  ['nameTaken', 'AlreadyExistedFirmwareName', /fw/],
  ['versionTaken', 'AlreadyExistedFirmwareVersion', /2\.0.*MCU.*lamp/],
  ['full', 'FirmwareCountExceedMax', /500/],
  ['busy', 'SystemBusy', /again/],
] as const)('translates %s', (kind, code, message) => {
  expect(translate({ kind })).toEqual([`iot.firmware.${code}`, expect.stringMatching(message)]);
});

it.each<[ClaimRefusal, string, string]>([
  [{ why: 'unknown' }, 'InvalidFirmwareUrl', 'no such URL was issued to this account.'],
  [{ why: 'notStored' }, 'InvalidFirmwareUrl', 'nothing has been uploaded'],
  [
    { why: 'late', deadline: NOON },
    'InvalidFirmwareUrl',
    `too late: the firmware package had to be created before ${at}`,
  ],
  [
    { why: 'purged', reason: 'unclaimed', at: NOON },
    'InvalidFirmwareUrl',
    `purged at ${at} because no firmware package`,
  ],
  [
    { why: 'purged', reason: 'replaced', at: NOON },
    'InvalidFirmwareUrl',
    'another upload replaced it',
  ],
  [{ why: 'purged', reason: 'deleted', at: NOON }, 'InvalidFirmwareUrl', 'because it was deleted'],
  [{ why: 'claimed', packageName: 'holder' }, 'InvalidFirmwareUrl', 'package holder already'],
  [{ why: 'empty' }, 'EmptyFirmwareFile', 'has 0 bytes'],
])('translates %p', (refusal, code, message) => {
  const translated = translate({ kind: 'notClaimable', file: 1, refusal });
  expect(translated).toEqual([`iot.firmware.${code}`, expect.stringContaining(message)]);
  expect(translated[1]).toContain('MultiFiles.2.Url');
});

it.each([
  ['size', 'InvalidFirmwareSize', 'MultiFiles.1.Size'],
  ['sign', 'InvalidFirmwareSign', 'MultiFiles.1.SignValue'],
  ['md5', 'InvalidFirmwareSign', 'MultiFiles.1.FileMd5'],
] as const)('translates a wrong %s', (what, code, parameter) => {
  const mismatch = { what, claimed: '5', measured: '6' };
  expect(translate({ kind: 'mismatch', file: 0, mismatch })).toEqual([
    `iot.firmware.${code}`,
    `${parameter} is wrong: it says 5, but the stored file has 6.`,
  ]);
});
