/*
 * What a list may be restricted to, as the query of the operator API and the flags of the commands give it.
 */
import { z } from 'zod';
import { duration } from '../config/units.ts';
import { REFUSAL_REASONS } from '../refusals/refusal-reason.ts';
import { MAX_PAGE, PAGE, UPLOAD_ORDERS, UPLOAD_STATES } from './listing.ts';
import { plainText } from './plain-text.ts';

const text = plainText.min(1).max(1023);

/** Where a page begins: the `next` of the page before. */
export const cursorText = z
  .string()
  .regex(/^[0-9a-z]{1,11}$/, 'expected the next of an earlier answer');
const after = cursorText
  .transform((cursor) => parseInt(cursor, 36))
  .exactOptional()
  .describe('the `next` of the page before');
const limit = z.coerce
  .number<string | number>()
  .int()
  .min(1)
  .max(MAX_PAGE)
  .default(PAGE)
  .describe('how many items');
const time = z.union([z.string(), z.number()]).pipe(duration).exactOptional();
const account = plainText.min(1).exactOptional().describe('for operators: the account');

/** The states in which an upload has bytes that it keeps. */
const WITH_BYTES: readonly string[] = ['stored', 'claimed'];

/** Only uploads that hold bytes have another order than `newest`. */
export function isOrdered({ order = 'newest', state = 'stored' }: OrderedFilter): boolean {
  return order === 'newest' || WITH_BYTES.includes(state);
}

/** What is wrong with a filter for which {@link isOrdered} is false. */
export const ORDER_PROBLEM = {
  path: ['order'],
  error: 'only uploads with the state stored or claimed have this order',
};

interface OrderedFilter {
  readonly order?: string | undefined;
  readonly state?: string | undefined;
}

const uploadFields = z.strictObject({
  state: z.enum(UPLOAD_STATES, `expected one of ${UPLOAD_STATES.join(', ')}`).exactOptional(),
  account,
  q: text
    .exactOptional()
    .describe(
      'part of the key, of the peer, or of the name of its package; or the beginning of its MD5 or SHA-256, at least 6 digits',
    ),
  olderThan: time.describe('stored, or issued, at least as long ago: a duration such as 10m'),
  dueWithin: time.describe('stored, and purged within a duration such as 5m unless it is claimed'),
  order: z
    .enum(UPLOAD_ORDERS, `expected one of ${UPLOAD_ORDERS.join(', ')}`)
    .default('newest')
    .describe('largest or oldest: only uploads that hold bytes, that is, stored or claimed ones'),
  after,
  limit,
});

/** Which uploads to list. */
export const uploadFilter = uploadFields.refine(isOrdered, ORDER_PROBLEM);

/** Which packages to list. */
export const packageFilter = z.strictObject({
  account,
  q: text.exactOptional().describe('part of the name or of the version'),
  after,
  limit,
});

/** Which refused requests to list. */
export const refusalFilter = z.strictObject({
  account,
  reason: z.enum(REFUSAL_REASONS, `expected one of ${REFUSAL_REASONS.join(', ')}`).exactOptional(),
  code: text.exactOptional().describe('the code of the error'),
  operation: text.exactOptional().describe('the action of the call, or the operation of OSS'),
  key: text.exactOptional().describe('the object key that they name'),
  after,
  limit,
});

/** Which refused requests to group. */
export const refusalGroupFilter = z.strictObject({
  account,
  last: time.describe('only those of a duration such as 24h; absent: all that are kept'),
});

export type RefusalGroupFilter = z.output<typeof refusalGroupFilter>;
export type RefusalFilter = z.output<typeof refusalFilter>;
export type UploadFilter = z.output<typeof uploadFilter>;
export type PackageFilter = z.output<typeof packageFilter>;
