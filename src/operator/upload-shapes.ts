/* The JSON of uploads. */
import { z } from 'zod';
import { UPLOAD_STATES } from './listing.ts';
import { packageShape } from './package-shapes.ts';
import { bytes, hexadecimal, time } from './shape-parts.ts';

const requestId = z.string().exactOptional();

/** An upload in any state. Requests and peers are absent in what an older version has recorded. */
export const uploadShape = z.object({
  key: z.string(),
  state: z.enum(UPLOAD_STATES),
  accountId: z.string().exactOptional().describe('absent when its form was not signed here'),
  issuedAt: time.exactOptional(),
  policyExpiresAt: time.exactOptional(),
  issuedRequestId: requestId,
  size: bytes.exactOptional(),
  md5: hexadecimal.exactOptional(),
  crc64: z.string().exactOptional().describe('CRC-64/XZ, unsigned decimal'),
  sha256: hexadecimal.exactOptional(),
  contentType: z.string().exactOptional(),
  body: z
    .string()
    .exactOptional()
    .describe('name of its bytes in the data folder, while it has them'),
  headers: z
    .record(z.string(), z.string())
    .exactOptional()
    .describe('response headers of downloads; only in the history of one key, until it is purged'),
  storedAt: time.exactOptional(),
  storedRequestId: requestId,
  peer: z.string().exactOptional().describe('address of the client that has sent the file'),
  claimUntil: time.exactOptional().describe('claim deadline of a stored upload'),
  firmwareId: z.string().exactOptional().describe('firmware package that has claimed it'),
  claimedAt: time.exactOptional(),
  claimedRequestId: requestId,
  packageName: z.string().exactOptional(),
  packageVersion: z.string().exactOptional(),
  purgeReason: z.enum(['unclaimed', 'replaced', 'deleted', 'retired']).exactOptional(),
  purgingSince: time.exactOptional(),
  purgedAt: time.exactOptional(),
  purgeRequestId: requestId.describe('request that has replaced or deleted it'),
});

/** Everything that is known of one object key. */
export const uploadHistoryShape = z.object({
  key: z.string(),
  uploads: z
    .array(uploadShape)
    .min(1)
    .describe('newest first: the one that holds the key, then those that held it before'),
  package: packageShape.exactOptional().describe('the package that has claimed it'),
});

/** A signed form. */
export const grantShape = z.object({
  key: z.string(),
  host: z.string().describe('URL to post the form to'),
  fields: z
    .record(z.string(), z.string())
    .describe('fields of the form, in this order, before `file`'),
  firmwareUrl: z.string().describe('FirmwareUrl for CreateOTAFirmware'),
  expiresAt: time,
});

export type UploadShape = z.infer<typeof uploadShape>;
export type UploadHistoryShape = z.infer<typeof uploadHistoryShape>;
export type GrantShape = z.infer<typeof grantShape>;
