import type { Used } from '../../uploads/ledger-totals.ts';
import type { Room } from '../../uploads/ports.ts';
import { HOLDS_KEY } from '../columns.ts';
import type { RunStatement } from './connections.ts';
import { statement } from './statement.ts';

/** The owner that stands for the bucket; no account has an empty id. */
const BUCKET = '';

interface Owners {
  readonly owners: readonly string[];
}

/** Until the end of the transaction, no other one with these owners goes on. */
const LOCK_OWNERS = statement<Owners>(
  'lock_owners',
  `SELECT pg_advisory_xact_lock(hashtextextended(owner, 3))
   FROM unnest(CAST(:owners AS text[])) WITH ORDINALITY AS owners (owner, place) ORDER BY place`,
);

const READ_USED = statement<Owners, Used & { readonly owner: string }>(
  'read_used',
  `SELECT owner, CAST(coalesce(sum(count), 0) AS bigint) AS uploads,
     CAST(coalesce(sum(bytes), 0) AS bigint) AS bytes
   FROM unnest(CAST(:owners AS text[])) AS owner
   LEFT JOIN totals ON (owner = '${BUCKET}' OR account_id = owner) AND ${HOLDS_KEY}
   GROUP BY owner`,
);

/**
 * Keeps the room until the end of the transaction, so that rows of all gateways are added one after the other.
 * @returns why the row must not be written
 */
export async function findExcess(
  run: RunStatement,
  room: Room,
  added: Used,
): Promise<Error | undefined> {
  const owners = room.owners.map((owner) => owner ?? BUCKET);
  await run(LOCK_OWNERS, { owners });
  // A statement of its own: it sees what was committed while the other one has waited.
  const { rows } = await run(READ_USED, { owners });
  for (const { owner, ...used } of rows) {
    const excess = room.findExcess(owner === BUCKET ? undefined : owner, used, added);
    if (excess !== undefined) return excess;
  }
  return undefined;
}
