/*
 * The JSON of the commands with --json that no route of the operator API has. The others are in src/operator/shapes.ts.
 */
import { z } from 'zod';

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
  gatewayId: z.string().exactOptional(),
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

export type DoctorPoint = z.infer<typeof doctorResult>['points'][number];
export type UploadedPackage = z.infer<typeof uploadedPackage>;
export type UploadResult = z.infer<typeof uploadResult>;
export type ClaimResult = z.infer<typeof claimResult>;
export type RemoveResult = z.infer<typeof removeResult>;
export type SignedForm = z.infer<typeof signedForm>;
