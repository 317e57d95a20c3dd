import { z } from 'zod';
import { duration } from '../../config/units.ts';
import { quoted } from '../../lib/quoted.ts';
import { ORDER_PROBLEM, cursorText, isOrdered } from '../../operator/filters.ts';
import { MAX_PAGE, PAGE, UPLOAD_ORDERS, UPLOAD_STATES } from '../../operator/listing.ts';
import { REFUSAL_REASONS } from '../../refusals/refusal-reason.ts';
import type { Noun } from '../commands/ls.ts';
import { UsageError } from '../command-error.ts';
import { openDesk } from '../desk.ts';
import type { List } from '../lists.ts';
import { listPackages, listRefusals, listUploads } from '../lists.ts';
import { flagName } from '../names.ts';
import { openOperator } from '../operator.ts';
import { outputFlags, say } from '../output.ts';
import { parseFlags } from '../parse-flags.ts';
import { watch } from '../watch.ts';

const limit = z
  .string()
  .transform(Number)
  .refine(
    (count) => Number.isInteger(count) && count >= 1 && count <= MAX_PAGE,
    `expected a number from 1 to ${String(MAX_PAGE)}`,
  );

/** The flags that restrict a list, beside those of every list. */
const FILTERS = {
  uploads: ['account', 'match', 'state', 'older', 'due', 'order'],
  packages: ['account', 'match'],
  refusals: ['account', 'reason'],
} as const;

/** @throws UsageError for a flag that would have no effect */
function requireFitting(what: Noun, given: ListFlags): void {
  const fitting: readonly string[] = FILTERS[what];
  const wrong = Object.values(FILTERS)
    .flat()
    .find((name) => given[name] !== undefined && !fitting.includes(name));
  if (wrong === undefined) return;
  const flags = fitting.map(flagName).join(', ');
  throw new UsageError(`--${wrong}: does not restrict ${what}: expected one of ${flags}`);
}

const flags = z
  .looseObject({
    ...outputFlags.shape,
    state: z.enum(UPLOAD_STATES).optional(),
    order: z.enum(UPLOAD_ORDERS).optional(),
    account: z.string().optional(),
    match: z.string().optional(),
    reason: z.enum(REFUSAL_REASONS).optional(),
    older: duration.optional(),
    due: duration.optional(),
    limit: limit.default(PAGE),
    after: cursorText.optional(),
    watch: z.boolean().default(false),
    interval: duration.default(2000),
  })
  .refine(isOrdered, ORDER_PROBLEM);

/** The flags of `ls`, without those of the desk. */
export type ListFlags = z.infer<typeof flags>;

const LOADS = { uploads: listUploads, packages: listPackages, refusals: listRefusals };

/** Lists uploads, packages or refused requests once, or until Ctrl+C. */
export async function list(what: Noun, flagsGiven: unknown): Promise<void> {
  const given = parseFlags(flags, flagsGiven);
  requireFitting(what, given);
  const {
    account,
    after,
    color,
    due,
    interval,
    json,
    limit,
    match,
    older,
    order,
    reason,
    ...others
  } = given;
  const { state, watch: isWatching, ...desk } = others;
  const page = { account, after, limit };
  const filters = {
    uploads: { ...page, q: match, state, order, olderThan: older, dueWithin: due },
    packages: { ...page, q: match },
    refusals: { ...page, reason },
  };
  await using operator = await openOperator(openDesk(desk));
  const load = (filter: object): Promise<List> => LOADS[what](operator, filter);
  if (isWatching) {
    await watch(() => load(filters[what]), { json, color }, interval);
    return;
  }
  const list = await load(filters[what]);
  list.show({ json, color });
  if (json || account === undefined || list.items.size > 0) return;
  const { items } = await load({ account, limit: 1 });
  if (items.size === 0) say(`no account ${quoted(account)} has ${what}`);
}
