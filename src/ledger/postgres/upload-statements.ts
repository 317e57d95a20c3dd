import type { IssuedGrant } from '../../uploads/ports.ts';
import type { HolderRow, UploadRow } from '../rows.ts';
import { UPLOAD_COLUMNS } from '../rows.ts';
import { HOLDER, HOLDS_KEY, SET_DELETED, SET_OBJECT } from '../columns.ts';
import type { Cause, IssueColumns, ObjectColumns } from '../columns.ts';
import { statement } from './statement.ts';
import type { None } from './statement.ts';

/**
 * Without waiting for the log to be flushed: what a crash of PostgreSQL forgets then can be done again. It is switched off
 * for the transaction of the statement alone.
 */
export const RELAXED = `set_config('synchronous_commit', 'off', true)`;

/** The locks of a transaction that depends on rows that do not exist yet. */
export const LOCK_KEY = statement<{ readonly key: string }>(
  'lock_key',
  'SELECT pg_advisory_xact_lock(hashtextextended(:key, 1))',
);
export const LOCK_ACCOUNT = statement<{ readonly accountId: string }>(
  'lock_account',
  'SELECT pg_advisory_xact_lock(hashtextextended(:accountId, 2))',
);

export const INSERT_ISSUED = statement<IssuedGrant>(
  'insert_issued',
  `INSERT INTO uploads (key, state, account_id, issued_at, policy_expires_at, issued_request_id)
   SELECT :key, 'issued', :accountId, :issuedAt, :policyExpiresAt, :requestId FROM ${RELAXED}`,
);

export const STORE_ISSUED = statement<ObjectColumns & { readonly key: string }>(
  'store_issued',
  `UPDATE uploads SET ${SET_OBJECT} WHERE key = :key AND state = 'issued'`,
);

export const FIND_HOLDER = statement<{ readonly key: string }, HolderRow>(
  'find_holder',
  `SELECT ${HOLDER} FROM uploads WHERE key = :key AND ${HOLDS_KEY}`,
);

export const LOCK_HOLDER = statement<{ readonly key: string }, HolderRow>(
  'lock_holder',
  `SELECT ${HOLDER} FROM uploads WHERE key = :key AND ${HOLDS_KEY} FOR UPDATE`,
);

export const MARK_REPLACED = statement<Cause & { readonly sequence: number }>(
  'mark_replaced',
  `UPDATE uploads SET state = 'purging', purging_since = :at, purge_reason = 'replaced',
     purge_request_id = :requestId
   WHERE sequence = :sequence`,
);

export const INSERT_STORED = statement<ObjectColumns & IssueColumns & { readonly key: string }>(
  'insert_stored',
  `INSERT INTO uploads (key, state, account_id, issued_at, policy_expires_at, issued_request_id,
     locator, size, md5, crc64, sha256, stored_at, headers, stored_request_id, peer)
   VALUES (:key, 'stored', :account_id, :issued_at, :policy_expires_at, :issued_request_id,
     :locator, :size, :md5, :crc64, :sha256, :storedAt, :headers, :requestId, :peer)`,
);

export const ADD_SHA256 = statement<{ readonly locator: string; readonly sha256: string }>(
  'add_sha256',
  `UPDATE uploads SET sha256 = :sha256 FROM ${RELAXED} WHERE locator = :locator`,
);

export const FIND_LIVE = statement<{ readonly key: string }, UploadRow>(
  'find_live',
  `SELECT ${UPLOAD_COLUMNS} FROM uploads WHERE key = :key AND ${HOLDS_KEY}`,
);

export const FIND_PURGED = statement<{ readonly key: string }, UploadRow>(
  'find_purged',
  `SELECT ${UPLOAD_COLUMNS} FROM uploads WHERE key = :key AND state IN ('purging', 'purged')
   ORDER BY sequence DESC LIMIT 1`,
);

export const LIST_UPLOADS = statement<
  { readonly afterSequence: number; readonly limit: number },
  UploadRow
>(
  'list_uploads',
  `SELECT ${UPLOAD_COLUMNS} FROM uploads WHERE sequence > :afterSequence
   ORDER BY sequence LIMIT :limit`,
);

export const FIND_BODY = statement<{ readonly locator: string }>(
  'find_body',
  `SELECT FROM uploads WHERE locator = :locator AND state <> 'purged'`,
);

export const OLDEST_STORED = statement<None, { readonly oldest: number | null }>(
  'oldest_stored',
  `SELECT min(stored_at) AS oldest FROM uploads WHERE state = 'stored'`,
);

interface Claimable {
  readonly locators: readonly string[];
  readonly storedAfter: number;
}

const CLAIMABLE = `locator = ANY(:locators) AND state = 'stored' AND stored_at > :storedAfter`;

/** All uploads or none. They are locked in one order, so that two claims of the same ones cannot wait for each other. */
export const CLAIM = statement<
  Cause & Claimable & { readonly packageId: string; readonly wanted: number }
>(
  'claim',
  `WITH due AS MATERIALIZED (
     SELECT sequence FROM uploads WHERE ${CLAIMABLE} ORDER BY sequence FOR UPDATE)
   UPDATE uploads SET state = 'claimed', package_id = :packageId, claimed_at = :at,
     claimed_request_id = :requestId
   FROM due WHERE uploads.sequence = due.sequence AND (SELECT count(*) FROM due) = :wanted`,
);

export const LIST_CLAIMABLE = statement<Claimable, { readonly locator: string }>(
  'list_claimable',
  `SELECT locator FROM uploads WHERE ${CLAIMABLE}`,
);

export const DELETE_STORED = statement<Cause & { readonly key: string; readonly locator: string }>(
  'delete_stored',
  `UPDATE uploads SET ${SET_DELETED} WHERE locator = :locator AND key = :key AND state = 'stored'`,
);
