/*
 * The JSON of the commands with --json that no route of the operator API has. The others are in src/operator, see its
 * shapes.ts.
 */
import { z } from 'zod';
import { linkShape } from '../operator/package-shapes.ts';

const bytes = z.int().min(0).describe('in bytes');

/** A package that a command has made. */
const uploadedPackage = z.object({
  firmwareId: z.string(),
  name: z.string().describe('FirmwareName'),
  version: z.string().describe('DestVersion'),
  files: z.array(
    z.object({
      name: z.string(),
      key: z.string(),
      size: bytes,
      firmwareUrl: z.string(),
      downloadUrl: z.string().describe('valid for 24 hours'),
    }),
  ),
});

/** `upload --json` */
export const uploadResult = z.object({ packages: z.array(uploadedPackage) });

/** `claim --json` */
export const claimResult = z.object({ firmwareId: z.string() });

/** `sign`, with and without `--json` */
export const signedForm = z.object({
  host: z.string().describe('where to post the form'),
  fields: z.record(z.string(), z.string()).describe('to send before the file, in this order'),
  key: z.string(),
  firmwareUrl: z.string().describe('for CreateOTAFirmware'),
  expiresAt: z.iso.datetime().describe('ISO 8601 in UTC').exactOptional(),
});

/** `rm --json` */
export const removeResult = z.object({
  deleted: z.array(
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('upload'), key: z.string() }),
      z.object({ kind: z.literal('package'), firmwareId: z.string() }),
    ]),
  ),
});

/** `health --json` */
export const healthResult = z.object({
  url: z.string(),
  status: z.enum(['live', 'ready']),
  gatewayId: z.string().exactOptional().describe('with --live'),
  uploads: z.enum(['accepted', 'refused: disk']).exactOptional().describe('without --live'),
});

/** `doctor --json` */
export const doctorResult = z.object({
  points: z.array(
    z.object({
      level: z.enum(['ok', 'warn', 'fail', 'skip']),
      name: z.string(),
      text: z.string(),
      hint: z.string().exactOptional().describe('what to do'),
    }),
  ),
});

/** `show-config --json` */
export const configResult = z.object({
  settings: z
    .record(z.string(), z.json())
    .describe('by variable: durations in milliseconds, sizes in bytes, secrets masked'),
});

/** `url --json`, as the operator API answers for a package */
export const urlResult = z.object({
  urls: z.array(linkShape).describe('in the order of the files'),
});

/** `payload`, with and without `--json`, as the operator API answers */
export { pushMessageShape as payloadResult } from '../operator/package-shapes.ts';

const count = z.int().min(0);

/** `fsck --json` */
export const fsckResult = z.object({
  uploads: count.describe('stored and claimed'),
  bytes,
  purging: count.describe('bodies that the next purge deletes'),
  uncommitted: count.describe('bodies that come in, or that a crash has left'),
  journals: count.describe('that a crash has left for the next start'),
  restorable: count.describe('uploads that the next start restores from them'),
  compacted: z.enum(['unneeded', 'done', 'full']).describe('of a ledger of an older version'),
  findings: z.array(
    z.object({
      kind: z.enum(['ledgerDamage', 'bytesMissing', 'bytesDiffer', 'bodyWithoutRow', 'strayFile']),
      text: z.string(),
      repair: z.string().exactOptional().describe('how it was repaired'),
    }),
  ),
});

/** `backup --json` */
export const backupResult = z.object({
  folder: z.string(),
  uploads: count,
  bytes,
  missing: z.array(z.string()).describe('keys of uploads without bytes, also in the original'),
  differing: z.array(z.string()).describe('keys of uploads with other bytes than were stored'),
  damage: z.array(z.string()).describe('other problems of the original'),
});

/** `export --json` */
export const exportResult = z.object({
  uploads: count.describe('stored and claimed'),
  bytes,
  copied: count.describe('bodies that this run has copied; the store had the others'),
  rows: count.describe('of the ledger'),
  wasDone: z.boolean().describe('an earlier export has ended, and nothing was done'),
  missing: z.array(z.string()).describe('keys of uploads without bytes, also in the data folder'),
  differing: z.array(z.string()).describe('keys of uploads with other bytes than were stored'),
});

export type DoctorPoint = z.infer<typeof doctorResult>['points'][number];
export type UploadedPackage = z.infer<typeof uploadedPackage>;
export type UploadResult = z.infer<typeof uploadResult>;
export type ClaimResult = z.infer<typeof claimResult>;
export type RemoveResult = z.infer<typeof removeResult>;
export type SignedForm = z.infer<typeof signedForm>;
export type UrlResult = z.infer<typeof urlResult>;
export type FsckResult = z.infer<typeof fsckResult>;
export type ExportResult = z.infer<typeof exportResult>;
export type BackupResult = z.infer<typeof backupResult>;
