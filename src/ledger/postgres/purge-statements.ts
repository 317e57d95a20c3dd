import type { ExpectedBody } from '../../uploads/ports.ts';
import type { PurgingRow } from '../rows.ts';
import { PURGING_BODY, SET_PURGING } from '../columns.ts';
import { statement } from './statement.ts';
import { RELAXED } from './upload-statements.ts';

/*
 * Several gateways purge at the same time. Each takes rows that no other one has locked, and does not wait for those.
 */

interface Taking {
  readonly at: number;
  /** No other gateway is given the bodies before this time. */
  readonly takenUntil: number;
}

/**
 * The sequences that a statement changes. As an array, and not as a table to join with: PostgreSQL would expect a tenth of
 * all rows, and read the table.
 */
function due(condition: string, order: string): string {
  return `sequence = ANY(ARRAY(
     SELECT sequence FROM uploads WHERE ${condition} ORDER BY ${order} LIMIT :limit
     FOR UPDATE SKIP LOCKED))`;
}

export const EXPIRE = statement<
  Taking & { readonly storedBefore: number; readonly limit: number },
  PurgingRow
>(
  'expire',
  `UPDATE uploads SET ${SET_PURGING}, purge_reason = 'unclaimed', taken_until = :takenUntil
   WHERE ${due("state = 'stored' AND stored_at <= :storedBefore", 'stored_at')}
   RETURNING ${PURGING_BODY}`,
);

export const RETIRE = statement<Taking & { readonly packageIds: readonly string[] }, PurgingRow>(
  'retire',
  `UPDATE uploads SET ${SET_PURGING}, purge_reason = 'deleted', retired = 1, taken_until = :takenUntil
   WHERE package_id = ANY(:packageIds) AND state = 'claimed' RETURNING ${PURGING_BODY}`,
);

export const TAKE_PURGING = statement<Taking & { readonly limit: number }, PurgingRow>(
  'take_purging',
  `UPDATE uploads SET taken_until = :takenUntil FROM ${RELAXED}
   WHERE ${due("state = 'purging' AND (taken_until IS NULL OR taken_until <= :at)", 'sequence')}
   RETURNING ${PURGING_BODY}`,
);

export const RELEASE_PURGING = statement<{ readonly sequences: readonly number[] }>(
  'release_purging',
  `UPDATE uploads SET taken_until = NULL FROM ${RELAXED}
   WHERE sequence = ANY(:sequences) AND state = 'purging'`,
);

/** Removes the headers: they may be most of a row, and are not needed any more. */
export const CONFIRM_PURGED = statement<
  { readonly sequences: readonly number[]; readonly at: number },
  { readonly sequence: number }
>(
  'confirm_purged',
  `WITH due AS MATERIALIZED (
     SELECT sequence FROM uploads WHERE sequence = ANY(:sequences) AND state = 'purging'
     ORDER BY sequence FOR UPDATE)
   UPDATE uploads SET state = 'purged', purged_at = :at, headers = '{}'
   FROM due, ${RELAXED} WHERE uploads.sequence = due.sequence RETURNING uploads.sequence`,
);

export const PRUNE_ISSUED = statement<{ readonly expiredBefore: number; readonly limit: number }>(
  'prune_issued',
  `DELETE FROM uploads USING ${RELAXED}
   WHERE ${due("state = 'issued' AND policy_expires_at < :expiredBefore", 'policy_expires_at')}`,
);

export const PRUNE_TOMBSTONES = statement<{
  readonly purgedBefore: number;
  readonly limit: number;
}>(
  'prune_tombstones',
  `DELETE FROM uploads USING ${RELAXED}
   WHERE ${due("state = 'purged' AND purged_at < :purgedBefore", 'purged_at')}`,
);

/** A body on no record becomes one to delete, unless it was recorded in the meantime. */
export const DISOWN = statement<{
  readonly keys: readonly string[];
  readonly locators: readonly string[];
  readonly sizes: readonly number[];
  readonly at: number;
}>(
  'disown',
  `INSERT INTO uploads (key, state, locator, size, md5, crc64, stored_at, headers, purge_reason,
     purging_since)
   SELECT key, 'purging', locator, size, '', '', :at, '{}', 'unclaimed', :at
   FROM unnest(CAST(:keys AS text[]), CAST(:locators AS text[]), CAST(:sizes AS bigint[]))
     AS body (key, locator, size)
   ON CONFLICT (locator) WHERE locator IS NOT NULL DO NOTHING`,
);

/** Whose body a locator is. */
export const FIND_KEY_OF_BODY = statement<{ readonly locator: string }, { readonly key: string }>(
  'find_key_of_body',
  'SELECT key FROM uploads WHERE locator = :locator',
);

export const LIST_BODIES = statement<
  { readonly afterLocator: string; readonly limit: number },
  ExpectedBody
>(
  'list_bodies',
  `SELECT locator, size, md5, crc64, state, key, sequence FROM uploads
   WHERE locator > :afterLocator AND state <> 'purged' ORDER BY locator LIMIT :limit`,
);
