/*
 * The JSON of refused requests beside their list: groups, and what a page shows side by side.
 */
import { z } from 'zod';
import { time } from './shape-parts.ts';

const refusalGroupShape = z.object({
  reason: z.string(),
  code: z.string(),
  operation: z.string().exactOptional(),
  count: z.int().min(1).describe('requests, with those that were refused alike within a minute'),
  lastAt: time,
  requestId: z.string().describe('of the newest one'),
  who: z
    .object({
      count: z.int().min(0).describe('how many there are'),
      names: z.array(z.string()).max(3).describe('at most three of them'),
    })
    .describe(
      'accounts, or peers of requests without one; the peers when the refusals of one account are grouped',
    ),
});

/** Groups of refused requests. */
export const refusalGroupsShape = z.object({
  items: z.array(refusalGroupShape).describe('at most 200, those with the newest refusals first'),
  more: z.boolean().describe('whether there are more groups'),
});

/** What the client has signed, and what the gateway has read. */
export const comparedShape = z.object({
  what: z.string(),
  client: z
    .string()
    .exactOptional()
    .describe('absent when it is not known what the client has signed'),
  gateway: z.string(),
  firstDifference: z
    .int()
    .min(0)
    .exactOptional()
    .describe('index of the first character that differs; absent when none does'),
});

/** The time that the client has sent, and that of the gateway. */
export const clocksShape = z.object({
  client: z.string().describe('ISO 8601 in UTC, or as it was sent where that cannot be read'),
  gateway: time,
  difference: z
    .number()
    .exactOptional()
    .describe('how far the client is ahead, in milliseconds; negative: behind'),
});

export type RefusalGroupShape = z.infer<typeof refusalGroupShape>;
export type RefusalGroupsShape = z.infer<typeof refusalGroupsShape>;
export type ComparedShape = z.infer<typeof comparedShape>;
export type ClocksShape = z.infer<typeof clocksShape>;
