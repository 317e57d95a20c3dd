/* The JSON of the usage, in the operator API and in the events. */
import { z } from 'zod';
import { bytes, time } from './shape-parts.ts';

const stateCount = z.object({ count: z.int().min(0), bytes });

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
  packages: z.int().min(0),
  bytes: z.int().min(0).describe('in bytes, of stored, claimed and purging uploads together'),
});

/** How much there was at one time. */
const usageSample = z.object({
  at: time,
  issued: z.int().min(0).describe('uploads in this state, as the next three'),
  stored: z.int().min(0),
  claimed: z.int().min(0),
  purging: z.int().min(0),
  packages: z.int().min(0),
  bytes,
});

/** How much there is now, and was before. */
export const usageReportShape = usageShape.extend({
  samples: z
    .array(usageSample)
    .describe('one a minute since the start, of the last day at most, the oldest first'),
});

export type UsageShape = z.infer<typeof usageShape>;
export type UsageSampleShape = z.infer<typeof usageSample>;
