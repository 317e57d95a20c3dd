import { z } from 'zod';
import { FILE_SUFFIXES } from '../policy/file-suffix.ts';

/* The JSON of the test controls. Descriptions are shown in the OpenAPI document. */

const STATUS_NAMES = ['notNeeded', 'unverified', 'verified', 'verifying', 'failed'] as const;
const STATES = ['issued', 'stored', 'claimed', 'purging', 'purged'] as const;

export const statusName = z.enum(STATUS_NAMES, `expected one of ${STATUS_NAMES.join(', ')}`);
const state = z.enum(STATES, `expected one of ${STATES.join(', ')}`);
export const time = z.iso.datetime();
const millis = z.int().describe('Unix milliseconds');
const bytes = z.int().min(0).describe('in bytes');
const hexadecimal = z.string().describe('lower-case hexadecimal');

/** Every refusal. */
export const failure = z.object({ error: z.string() });

export const clockState = z.object({
  time,
  frozen: z.boolean().describe('whether it stands still'),
  offset: z.int().describe('milliseconds that it is ahead of the clock of the machine'),
});

export const uploadShown = z.object({
  key: z.string(),
  state,
  issuedAt: time.optional(),
  size: bytes.optional(),
  md5: hexadecimal.optional(),
  contentType: z.string().optional(),
  storedAt: time.optional(),
  claimUntil: time.optional().describe('claim deadline of a stored upload'),
  firmwareId: z.string().optional().describe('firmware package that has claimed it'),
  purgeReason: z.enum(['unclaimed', 'replaced', 'deleted', 'retired']).optional(),
  purgingSince: time.optional(),
  purgedAt: time.optional(),
});

const packageShown = z.object({
  firmwareId: z.string(),
  firmwareName: z.string(),
  destVersion: z.string(),
  moduleName: z.string(),
  productKey: z.string().optional(),
  status: statusName,
  verifyProgress: z.int().min(0).max(100),
  files: z.array(
    z.object({
      name: z.string().optional(),
      key: z.string(),
      size: bytes,
      sign: hexadecimal,
      md5: hexadecimal,
    }),
  ),
  createdAt: time,
});

export const snapshotShown = z.object({
  time: time.describe('by the clock of the gateway'),
  uploads: z.array(uploadShown).describe('oldest first'),
  packages: z.array(packageShown).describe('oldest first'),
});

export const notice = z.object({
  code: z.string().describe('a code of docs/fidelity.md'),
  behavior: z.string(),
  oss: z.string(),
  requestId: z.string(),
  at: millis,
});

export const refusal = z.object({
  dialect: z.enum(['iot', 'oss']),
  code: z.string().describe('a code of docs/errors.md'),
  message: z.string().describe('what the client has read, without quoted texts'),
  status: z.int(),
  requestId: z.string(),
  operation: z.string().exactOptional(),
  key: z.string().exactOptional(),
  account: z.string().exactOptional(),
  at: millis,
});

export const activeFault = z.object({
  id: z.int(),
  operation: z.string(),
  fault: z.looseObject({ kind: z.string() }),
  times: z.int().optional().describe('how many more requests will fail by it'),
  key: z.string().optional(),
  rate: z.number().optional(),
  seed: z.int().optional(),
  taken: z.int().describe('how many requests have failed by it'),
});

/** A grant that is ready to post. */
export const grantShown = z.object({
  host: z.string().describe('URL to post the form to'),
  key: z.string(),
  fields: z.record(z.string(), z.string()).describe('the fields of the form, before `file`'),
  firmwareUrl: z.string().describe('FirmwareUrl for CreateOTAFirmware'),
});

export const seededShown = grantShown.extend({
  firmwareId: z.string().optional().describe('its firmware package, if it is or was claimed'),
});

const amount = z.number();

export const duration = z.strictObject({
  milliseconds: amount.default(0),
  seconds: amount.default(0),
  minutes: amount.default(0),
  hours: amount.default(0),
  days: amount.default(0),
});

const accessKeyId = z
  .string()
  .optional()
  .describe('access key to call with; that of the first account when absent');
const iotInstanceId = z.string().optional();
const fileSuffix = z.enum(FILE_SUFFIXES).optional().describe('bin when absent');

export const grantWanted = z.strictObject({ fileSuffix, iotInstanceId, accessKeyId });

export const seedWanted = z
  .strictObject({
    state,
    text: z.string().optional().describe('the file as text; `firmware` when both are absent'),
    base64: z.base64().optional().describe('the file in Base64'),
    age: duration.optional().describe('how long ago it was issued, stored and claimed'),
    upload: z.strictObject({ fileSuffix, iotInstanceId }).optional(),
    firmware: z
      .strictObject({
        firmwareName: z.string().exactOptional(),
        destVersion: z.string().exactOptional(),
        firmwareSize: z.int().optional(),
        firmwareSign: z.string().optional(),
        signMethod: z.enum(['MD5', 'SHA256']).optional(),
        type: z.literal([0, 1]).optional(),
        srcVersion: z.string().optional(),
        moduleName: z.string().optional(),
        productKey: z.string().optional(),
        firmwareDesc: z.string().optional(),
        needToVerify: z.boolean().optional(),
        udi: z.string().optional(),
        iotInstanceId,
      })
      .optional()
      .describe('parameters of CreateOTAFirmware; name and version are generated when absent'),
    accessKeyId,
  })
  .refine(({ base64, text }) => base64 === undefined || text === undefined, {
    error: 'give text or base64, not both',
  });
