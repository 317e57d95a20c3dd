/*
 * What the actions are given, as the bodies of the operator API have it.
 */
import { z } from 'zod';
import { duration } from '../config/units.ts';
import { KEPT_MS } from '../uploads/usage-history.ts';
import { plainText } from './plain-text.ts';

const text = plainText;
const account = text
  .exactOptional()
  .describe('for operators: the account that it is done for; absent: that of the caller');

/** The longest time that a download link is valid, in milliseconds. */
const MAX_LINK = 7 * 86_400_000;
/** How many files a package may have. */
export const MAX_FILES = 20;

/** A form to sign. */
export const grantInput = z.strictObject({
  suffix: text.exactOptional().describe('FileSuffix of GenerateOTAUploadURL; bin when absent'),
  instanceId: text.exactOptional().describe('IotInstanceId'),
  account,
});

/** What CreateOTAFirmware gets of a package, beside its files. It checks the values. */
export const packageFields = z.strictObject({
  name: text.describe('FirmwareName'),
  version: text.describe('DestVersion'),
  productKey: text.exactOptional(),
  moduleName: text.exactOptional(),
  description: text.exactOptional(),
  instanceId: text.exactOptional().describe('IotInstanceId'),
  account: text
    .exactOptional()
    .describe('for operators: the account of the package; absent: that of its first upload'),
});

/** Uploads to claim as a package. */
export const claimInput = packageFields.extend({
  keys: z.array(text).min(1).max(MAX_FILES).describe('object keys of stored uploads'),
});

export const purgeInput = z.strictObject({
  dryRun: z.boolean().default(false).describe('only say what is due'),
});

export const linksInput = z.strictObject({
  expires: z
    .union([z.string(), z.number()])
    .pipe(duration)
    .refine((value) => value > 0 && value <= MAX_LINK, 'expected at most 7d')
    .default(86_400_000)
    .describe('how long the links are valid: a duration such as 24h, at most 7d'),
});

export const usageInput = z.strictObject({
  last: z
    .union([z.string(), z.number()])
    .pipe(duration)
    .refine((value) => value <= KEPT_MS, 'expected at most 90d')
    .default(86_400_000)
    .describe('which samples: those of a duration such as 24h, at most 90d; 0s for none'),
});

export type GrantInput = z.output<typeof grantInput>;
export type PackageFields = z.output<typeof packageFields>;

const MAX_FIELDS = 100;

/** A form to judge. */
export const formInput = z.strictObject({
  fields: z
    .record(z.string().max(1024), z.string())
    .refine((fields) => Object.keys(fields).length <= MAX_FIELDS, {
      error: `expected at most ${String(MAX_FIELDS)} fields`,
    })
    .describe('name and value of each field before the file, at most 100; names in any case'),
  requestId: text
    .exactOptional()
    .describe('of a refused form, whose fields stand for those that are not given'),
});
export type FormInput = z.infer<typeof formInput>;
