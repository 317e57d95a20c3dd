/* The JSON of the usage, in the operator API and in the events. */
import { z } from 'zod';
import { MAX_SAMPLES } from './listing.ts';
import { bytes, time } from './shape-parts.ts';

const count = z.int().min(0);
const stateCount = z.object({ count, bytes });

/** How much there is now: of everything, or of one account. */
export const usageShape = z.object({
  at: time,
  uploads: z.object({
    issued: stateCount,
    stored: stateCount,
    claimed: stateCount,
    purging: stateCount,
    purged: stateCount,
  }),
  packages: count,
  bytes: z.int().min(0).describe('in bytes, of stored, claimed and purging uploads together'),
});

const sampleShape = usageShape.extend({
  diskFree: bytes.exactOptional().describe('in bytes; absent when it was not known'),
  purgedUploads: count.describe('purged since the sample before'),
  purgedBytes: bytes.describe('purged since the sample before, in bytes'),
  refusals: count.describe('requests that were refused since the sample before'),
});

/** How much there is now, and was before. */
export const usageReportShape = usageShape.extend({
  samples: z
    .array(sampleShape)
    .max(MAX_SAMPLES)
    .describe(
      'one for each 10 minutes, or for a longer time that is the same for all; oldest first',
    ),
  refusals: count.describe('requests that were refused in the time of the samples, and since'),
  purges: z
    .object({
      unclaimed: stateCount,
      replaced: stateCount,
      deleted: stateCount,
      retired: stateCount,
    })
    .describe('uploads that were purged in the time of the samples, and since, by the reason'),
  disk: z.object({
    free: bytes.exactOptional().describe('free bytes of the disk of the data folder'),
    reserve: bytes.describe('bytes that uploads leave free: OTA_GATEWAY_MIN_FREE'),
  }),
  purge: z.object({
    nextAt: time
      .exactOptional()
      .describe('when it runs next, as a time of the gateway; absent while its job is not running'),
    lastAt: time.exactOptional().describe('end of its last run; absent before the first one'),
    outcome: z.enum(['done', 'failed']).exactOptional().describe('of its last run'),
  }),
});

export type UsageShape = z.infer<typeof usageShape>;
export type UsageSampleShape = z.infer<typeof sampleShape>;
export type UsageReportShape = z.infer<typeof usageReportShape>;
