import { z } from 'zod';
import type { FirmwarePackage, PackageFile } from '../uploads/firmware-package.ts';
import type { KeyHolder, ListedUpload, PurgingBody } from '../uploads/ports.ts';
import type {
  Claim,
  Issue,
  LiveUpload,
  PurgedUpload,
  PurgeReason,
  StoredObject,
  Upload,
  UploadState,
} from '../uploads/upload.ts';

/** A row of `uploads`, with the types of the strict table. */
export interface UploadRow {
  readonly sequence: number;
  readonly key: string;
  readonly state: UploadState;
  readonly account_id: string | null;
  readonly issued_at: number | null;
  readonly policy_expires_at: number | null;
  readonly locator: string | null;
  readonly size: number | null;
  readonly md5: string | null;
  readonly crc64: string | null;
  readonly sha256: string | null;
  readonly stored_at: number | null;
  readonly headers: string | null;
  readonly package_id: string | null;
  /** Of a `retired` upload: `deleted`. */
  readonly purge_reason: PurgeReason | null;
  readonly retired: 1 | null;
  readonly purging_since: number | null;
  readonly purged_at: number | null;
  readonly issued_request_id: string | null;
  readonly stored_request_id: string | null;
  readonly peer: string | null;
  readonly claimed_at: number | null;
  readonly claimed_request_id: string | null;
  readonly purge_request_id: string | null;
}

/** The columns of a row that holds its key, as far as a new body needs them. */
export type HolderRow = Pick<
  UploadRow,
  | 'sequence'
  | 'state'
  | 'account_id'
  | 'size'
  | 'issued_at'
  | 'policy_expires_at'
  | 'issued_request_id'
>;

/** The columns of {@link UploadRow}. */
export const UPLOAD_COLUMNS = [
  ...['sequence', 'key', 'state', 'account_id', 'issued_at', 'policy_expires_at', 'locator'],
  ...['size', 'md5', 'crc64', 'sha256', 'stored_at', 'headers', 'package_id', 'purge_reason'],
  ...['retired', 'purging_since', 'purged_at', 'issued_request_id', 'stored_request_id', 'peer'],
  ...['claimed_at', 'claimed_request_id', 'purge_request_id'],
].join(', ');

/** The columns of a row in `purging` that its deletion needs. */
export interface PurgingRow {
  readonly sequence: number;
  readonly key: string;
  readonly locator: string;
  readonly size: number;
  readonly account_id: string | null;
  readonly purge_reason: PurgeReason;
  readonly retired: 1 | null;
}

/** A row of `firmware_packages`. */
export interface PackageRow {
  readonly id: string;
  readonly account_id: string;
  readonly instance_id: string;
  readonly name: string;
  readonly description: string | null;
  readonly dest_version: string;
  readonly src_version: string | null;
  readonly differential: 0 | 1;
  readonly module_name: string;
  readonly product_key: string | null;
  readonly sign_method: FirmwarePackage['signMethod'];
  readonly udi: string | null;
  readonly status: FirmwarePackage['status'];
  readonly verify_progress: number;
  readonly created_at: number;
  readonly modified_at: number;
}

/** A row of `package_files`. */
export interface PackageFileRow {
  readonly name: string | null;
  readonly key: string;
  readonly size: number;
  readonly sign: string;
  readonly md5: string;
}

const headersJson = z.record(z.string(), z.string());

/** @throws when the row lacks a value that its state requires, so another program has changed the database */
export function toUpload(row: UploadRow): Upload {
  return row.state === 'purging' || row.state === 'purged'
    ? toPurgedUpload(row)
    : toLiveUpload(row);
}

export function toListed(row: UploadRow): ListedUpload {
  return { sequence: row.sequence, upload: toUpload(row) };
}

/** Like {@link toUpload}, for a row that holds its key. */
export function toLiveUpload(row: UploadRow): LiveUpload {
  const issue = toIssue(row);
  const base = { key: row.key, ...(issue && { issue }) };
  switch (row.state) {
    case 'issued':
      return { state: 'issued', key: row.key, issue: required(row, issue) };
    case 'stored':
      return { state: 'stored', object: toObject(row), ...base };
    case 'claimed':
      return {
        state: 'claimed',
        object: toObject(row),
        packageId: required(row, row.package_id),
        ...base,
        ...toClaim(row),
      };
    case 'purging':
    case 'purged':
      throw corrupt(row);
  }
}

/** Like {@link toUpload}, for a row that is purging or purged. */
export function toPurgedUpload(row: UploadRow): PurgedUpload {
  if (row.state !== 'purging' && row.state !== 'purged') throw corrupt(row);
  const issue = toIssue(row);
  return {
    key: row.key,
    ...(issue && { issue }),
    state: row.state,
    object: toObject(row),
    ...toClaim(row),
    purge: {
      reason: reasonOf(required(row, row.purge_reason), row),
      purgingSince: required(row, row.purging_since),
      ...(row.purged_at !== null && { purgedAt: row.purged_at }),
      ...(row.purge_request_id !== null && { requestId: row.purge_request_id }),
    },
  };
}

export function toKeyHolder(row: HolderRow): KeyHolder {
  const { state } = row;
  if (state === 'purging' || state === 'purged') throw corrupt(row);
  const issue = toIssue(row);
  return { state, size: row.size ?? 0, ...(issue && { issue }) };
}

function toIssue(row: HolderRow): Issue | undefined {
  const { account_id: accountId, issued_at: issuedAt, policy_expires_at: policyExpiresAt } = row;
  if (accountId === null || issuedAt === null || policyExpiresAt === null) return undefined;
  const requestId = row.issued_request_id;
  return { accountId, issuedAt, policyExpiresAt, ...(requestId !== null && { requestId }) };
}

function toClaim({ claimed_at: claimedAt, claimed_request_id: requestId }: UploadRow): {
  claim?: Claim;
} {
  if (claimedAt === null) return {};
  return { claim: { claimedAt, ...(requestId !== null && { requestId }) } };
}

function toObject(row: UploadRow): StoredObject {
  return {
    locator: required(row, row.locator),
    size: required(row, row.size),
    md5: required(row, row.md5),
    crc64: required(row, row.crc64),
    storedAt: required(row, row.stored_at),
    headers: headersJson.parse(JSON.parse(required(row, row.headers))),
    ...(row.sha256 !== null && { sha256: row.sha256 }),
    ...(row.stored_request_id !== null && { requestId: row.stored_request_id }),
    ...(row.peer !== null && { peer: row.peer }),
  };
}

function required<T>(row: UploadRow, value: T | null | undefined): T {
  if (value === null || value === undefined) throw corrupt(row);
  return value;
}

function corrupt(row: Pick<UploadRow, 'sequence' | 'state'>): Error {
  return new Error(
    `row ${String(row.sequence)} of the ledger lacks a value of a ${row.state} upload`,
  );
}

export function toPackage(row: PackageRow, files: readonly PackageFileRow[]): FirmwarePackage {
  return {
    id: row.id,
    accountId: row.account_id,
    ...(row.instance_id !== '' && { instanceId: row.instance_id }),
    name: row.name,
    ...(row.description !== null && { description: row.description }),
    destVersion: row.dest_version,
    ...(row.src_version !== null && { srcVersion: row.src_version }),
    differential: row.differential === 1,
    moduleName: row.module_name,
    ...(row.product_key !== null && { productKey: row.product_key }),
    signMethod: row.sign_method,
    ...(row.udi !== null && { udi: row.udi }),
    status: row.status,
    verifyProgress: row.verify_progress,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    files: files.map(toPackageFile),
  };
}

export function toPackageRow(firmwarePackage: FirmwarePackage): PackageRow {
  return {
    id: firmwarePackage.id,
    account_id: firmwarePackage.accountId,
    instance_id: firmwarePackage.instanceId ?? '',
    name: firmwarePackage.name,
    description: firmwarePackage.description ?? null,
    dest_version: firmwarePackage.destVersion,
    src_version: firmwarePackage.srcVersion ?? null,
    differential: firmwarePackage.differential ? 1 : 0,
    module_name: firmwarePackage.moduleName,
    product_key: firmwarePackage.productKey ?? null,
    sign_method: firmwarePackage.signMethod,
    udi: firmwarePackage.udi ?? null,
    status: firmwarePackage.status,
    verify_progress: firmwarePackage.verifyProgress,
    created_at: firmwarePackage.createdAt,
    modified_at: firmwarePackage.modifiedAt,
  };
}

function toPackageFile({ name, ...facts }: PackageFileRow): PackageFile {
  return { ...(name !== null && { name }), ...facts };
}

function reasonOf(reason: PurgeReason, { retired }: Pick<UploadRow, 'retired'>): PurgeReason {
  return retired === 1 ? 'retired' : reason;
}

export function toPurgingBody({ purge_reason, ...row }: PurgingRow): PurgingBody {
  const { account_id, key, locator, sequence, size } = row;
  const reason = reasonOf(purge_reason, row);
  return {
    sequence,
    key,
    locator,
    size,
    reason,
    ...(account_id !== null && { accountId: account_id }),
  };
}
