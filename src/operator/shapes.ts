/*
 * The JSON of the operator API, which is also what the commands print with --json. Descriptions are shown in the OpenAPI
 * document. What uploads, packages and accounts have is in files of its own, beside this one.
 */
import { z } from 'zod';
import { clocksShape, comparedShape } from './refusal-shapes.ts';
import { bytes, milliseconds, time } from './shape-parts.ts';
import { uploadShape } from './upload-shapes.ts';
import { usageShape } from './usage-shapes.ts';

/** Every response with an error. */
export const errorShape = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    hint: z.string().exactOptional().describe('what to do'),
  }),
});

type PageSchema<T extends z.ZodType> = z.ZodObject<{
  items: z.ZodArray<T>;
  next: z.ZodExactOptional<z.ZodString>;
}>;

/** A page of a list. */
export function pageOf<T extends z.ZodType>(item: T): PageSchema<T> {
  return z.object({
    items: z.array(item).describe('newest first'),
    next: z
      .string()
      .exactOptional()
      .describe(
        '`after` of the next page; absent on the last page. A page of uploads may have fewer than `limit`, also none: one request searches 100,000 rows at most',
      ),
  });
}

/** What a run of the purge has done; with `dryRun`, what the next one will do. */
export const purgeShape = z.object({
  dryRun: z.boolean(),
  purged: z.int().min(0).describe('deleted files'),
  failed: z.int().min(0).describe('files that could not be deleted'),
  bytes: bytes.describe('size of the deleted files, in bytes'),
  uploads: z
    .array(uploadShape)
    .exactOptional()
    .describe('of a dry run: the newest 100 that are due'),
});

const limit = z.union([z.number(), z.literal('off')]);

/** The limits of an account or of the bucket, from the settings or the accounts file. */
export const limitsShape = z.object({
  maxBytes: limit.describe('bytes of the stored and claimed files together'),
  maxUploads: limit.describe('uploads that are issued, stored or claimed'),
  maxConcurrent: limit.describe('files that are received at the same time'),
  maxRate: limit.describe('forms that are signed per second'),
});

/** What is used of these limits. */
export const usedShape = z.object({
  uploads: z.int().min(0).describe('of maxUploads'),
  bytes: bytes.describe('of maxBytes'),
});

/** The gateway, and the caller. */
export const aboutShape = z.object({
  version: z.string(),
  time: time.describe('by the clock of the gateway'),
  testMode: z.boolean(),
  bucket: z.string(),
  publicUrl: z.string().exactOptional(),
  account: z.object({ id: z.string(), operator: z.boolean() }),
  limits: z.object({
    maxUpload: bytes,
    policyTtl: milliseconds,
    claimTtl: milliseconds,
    issuedRetention: milliseconds,
    tombstoneRetention: milliseconds,
    maxPackages: z.int().describe('of an account in one instance'),
    ...limitsShape.shape,
  }),
  used: usedShape.describe('what the account uses of its limits'),
  bucketLimits: limitsShape
    .extend({ used: usedShape })
    .exactOptional()
    .describe('for operators: the limits of all accounts together, and what is used of them'),
  usage: usageShape.describe('of the account; of all for an operator'),
});

/** What a reference names. */
export const referenceShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('upload'), key: z.string() }),
  z.object({ kind: z.literal('package'), firmwareId: z.string() }),
  z.object({ kind: z.literal('request'), requestId: z.string() }),
]);

/** A request that was handled, as the log and `trace` show it. */
export const requestShape = z.object({
  at: time,
  requestId: z.string(),
  traceId: z.string().exactOptional().describe('of the header traceparent'),
  dialect: z.enum(['iot', 'oss', 'operator', 'http']),
  operation: z.string().exactOptional(),
  code: z.string().describe('OK, or the code of the refusal'),
  status: z.int(),
  reason: z.string().exactOptional().describe('why it was refused'),
  account: z.string().exactOptional(),
  key: z.string().exactOptional(),
  keys: z.array(z.string()).exactOptional().describe('of a package with several files'),
  from: z.string().exactOptional().describe('state of the upload before it'),
  to: z.string().exactOptional().describe('state of the upload after it'),
  bytesIn: bytes,
  bytesOut: bytes,
  ms: milliseconds,
  peer: z.string().exactOptional(),
});

/** A refused request. */
export const refusalShape = z.object({
  requestId: z.string(),
  at: time,
  dialect: z.enum(['iot', 'oss', 'operator', 'http']),
  operation: z.string().exactOptional(),
  code: z.string(),
  status: z.int(),
  ec: z.string().exactOptional().describe('fine-grained code of OSS'),
  reason: z.string(),
  message: z.string(),
  account: z.string().exactOptional(),
  accessKeyId: z.string().exactOptional(),
  key: z.string().exactOptional(),
  peer: z.string().exactOptional(),
  agent: z.string().exactOptional(),
  traceId: z.string().exactOptional(),
  repeats: z.int().min(0).describe('further requests that were refused like it within a minute'),
});

/** Why a request was refused, and what to do. */
export const storyShape = z.object({
  requestId: z.string().exactOptional(),
  headline: z.string(),
  lines: z.array(
    z.object({
      mark: z.enum(['met', 'notMet', 'info']),
      text: z.string(),
      details: z.array(z.string()).exactOptional(),
    }),
  ),
  toPass: z.string(),
  compare: comparedShape
    .exactOptional()
    .describe('of a wrong signature: what the client has signed, and what the gateway has read'),
  clocks: clocksShape.exactOptional().describe('of a wrong time'),
});

/** A refused request, and its story. */
export const explainedShape = z.object({ refusal: refusalShape, story: storyShape });
/** Whether PostObject would accept a form, and why. */
export const judgedShape = z.object({ accepted: z.boolean(), story: storyShape });
export type JudgedShape = z.infer<typeof judgedShape>;
export type ExplainedShape = z.infer<typeof explainedShape>;

/** A page of a list. */
export interface Page<T> {
  readonly items: T[];
  readonly next?: string;
}

export type PurgeShape = z.infer<typeof purgeShape>;
export type AboutShape = z.infer<typeof aboutShape>;
export type ReferenceShape = z.infer<typeof referenceShape>;
export type RequestShape = z.infer<typeof requestShape>;
export type RefusalShape = z.infer<typeof refusalShape>;
export type StoryShape = z.infer<typeof storyShape>;
