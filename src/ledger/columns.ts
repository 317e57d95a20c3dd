import type { Issue, StoredObject } from '../uploads/upload.ts';
import type { UploadRow } from './rows.ts';
import type { PackageChange, PackageFilter } from '../uploads/ports.ts';

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

export const INSERT_PACKAGE = `INSERT INTO firmware_packages (id, account_id, instance_id, name, description, dest_version,
         src_version, differential, module_name, product_key, sign_method, udi, status,
         verify_progress, created_at, modified_at)
       VALUES (:id, :account_id, :instance_id, :name, :description, :dest_version,
         :src_version, :differential, :module_name, :product_key, :sign_method, :udi, :status,
         :verify_progress, :created_at, :modified_at)`;

/** An absent member is not changed. */
export const CHANGE_PACKAGE = `name = coalesce(:name, name),
         description = coalesce(:description, description), udi = coalesce(:udi, udi),
         status = coalesce(:status, status),
         verify_progress = coalesce(:verifyProgress, verify_progress), modified_at = :modifiedAt`;

export interface ChangeColumns {
  readonly name: string | null;
  readonly description: string | null;
  readonly udi: string | null;
  readonly status: number | null;
  readonly verifyProgress: number | null;
  readonly modifiedAt: number;
}

export function changeColumns(change: PackageChange): ChangeColumns {
  return {
    name: change.name ?? null,
    description: change.description ?? null,
    udi: change.udi ?? null,
    status: change.status ?? null,
    verifyProgress: change.verifyProgress ?? null,
    modifiedAt: change.modifiedAt,
  };
}

/** Has only the conditions of the filter: no index is used for a condition that is optional in the SQL. */
export function packageCondition({ instanceId, productKey, destVersion }: PackageFilter): string {
  return [
    'account_id = :accountId',
    ...(instanceId === undefined ? [] : ['instance_id = :instanceId']),
    ...(productKey === undefined ? [] : ['product_key = :productKey']),
    ...(destVersion === undefined ? [] : ['dest_version = :destVersion']),
  ].join(' AND ');
}

/**
 * The key in the row of a body that was disowned: no client had named one that the ledger knows. It is below `_gateway/`, so
 * no client can store anything under it.
 */
export function disownedKey(locator: string): string {
  return `_gateway/disowned/${locator}`;
}
