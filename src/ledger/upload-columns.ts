import type { Issue, StoredObject } from '../uploads/upload.ts';
import type { UploadRow } from './rows.ts';

/* SQL that all databases understand, with the columns of rows as its named parameters. */

export const HOLDS_KEY = `state IN ('issued', 'stored', 'claimed')`;
/** Of a row that holds its key. A row has 24 columns; reading all of them takes three times as long. */
export const HOLDER =
  'sequence, state, account_id, size, issued_at, policy_expires_at, issued_request_id';
export const PURGING_BODY = 'sequence, key, locator, size, account_id, purge_reason, retired';
export const SET_OBJECT = `state = 'stored', locator = :locator, size = :size, md5 = :md5, crc64 = :crc64,
  sha256 = :sha256, stored_at = :storedAt, headers = :headers, stored_request_id = :requestId, peer = :peer`;

export const SET_PURGING = `state = 'purging', purging_since = :at`;
export const SET_DELETED = `${SET_PURGING}, purge_reason = 'deleted', purge_request_id = :requestId`;

export interface ObjectColumns {
  readonly locator: string;
  readonly size: number;
  readonly md5: string;
  readonly crc64: string;
  readonly sha256: string | null;
  readonly storedAt: number;
  readonly headers: string;
  readonly requestId: string | null;
  readonly peer: string | null;
}

/** Names each member: a copy of the rest of an object takes 3 microseconds. */
export function objectColumns(object: StoredObject): ObjectColumns {
  return {
    locator: object.locator,
    size: object.size,
    md5: object.md5,
    crc64: object.crc64,
    sha256: object.sha256 ?? null,
    storedAt: object.storedAt,
    headers: JSON.stringify(object.headers),
    requestId: object.requestId ?? null,
    peer: object.peer ?? null,
  };
}

export type IssueColumns = Pick<
  UploadRow,
  'account_id' | 'issued_at' | 'policy_expires_at' | 'issued_request_id'
>;

export function issueColumns(issue: Issue | undefined): IssueColumns {
  return {
    account_id: issue?.accountId ?? null,
    issued_at: issue?.issuedAt ?? null,
    policy_expires_at: issue?.policyExpiresAt ?? null,
    issued_request_id: issue?.requestId ?? null,
  };
}

/** When a step is done, and by which request. */
export interface Cause {
  readonly at: number;
  readonly requestId: string | null;
}
