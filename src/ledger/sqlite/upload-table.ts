import type { Database } from 'better-sqlite3';
import type {
  ExpectedBody,
  IssuedGrant,
  KeyHolder,
  ListedUpload,
  StoredRecord,
  StoreOutcome,
} from '../../uploads/ports.ts';
import type { LedgerChange } from '../../uploads/ledger-changes.ts';
import type { LiveUpload, PurgedUpload, PurgeReason, UploadState } from '../../uploads/upload.ts';
import { toKeyHolder, toListed, toLiveUpload, toPurgedUpload } from '../rows.ts';
import type { HolderRow, UploadRow } from '../rows.ts';
import {
  HOLDER,
  HOLDS_KEY,
  SET_DELETED,
  SET_OBJECT,
  SET_PURGING,
  issueColumns,
  objectColumns,
} from '../columns.ts';
import type { Cause, IssueColumns, ObjectColumns } from '../columns.ts';

export const OWNER = 'account_id, size';

/** The account and the size of an upload that a statement has changed. */
export type OwnerColumns = Pick<UploadRow, 'account_id' | 'size'>;

/** @returns what a statement has changed: one row */
export function changeOf(
  { account_id, size }: OwnerColumns,
  from: UploadState | undefined,
  to: UploadState | undefined,
): LedgerChange {
  return {
    kind: 'uploads',
    from,
    to,
    accountId: account_id ?? undefined,
    count: 1,
    bytes: size ?? 0,
  };
}

/** The statements for `uploads`. Call methods that write inside a transaction; they add what they change to `changes`. */
export class UploadTable {
  readonly #statements;

  constructor(database: Database) {
    this.#statements = { ...prepareFindStatements(database), ...prepareUploadStatements(database) };
  }

  insertIssued(grant: IssuedGrant, changes: LedgerChange[]): void {
    const { accountId, issuedAt, key, policyExpiresAt, requestId = null } = grant;
    this.#statements.insertIssued.run(key, accountId, issuedAt, policyExpiresAt, requestId);
    changes.push(changeOf({ account_id: grant.accountId, size: 0 }, undefined, 'issued'));
  }

  store(
    { key, object, forbidOverwrite, issue }: StoredRecord,
    changes: LedgerChange[],
  ): StoreOutcome {
    const holder = this.#statements.findHolder.get(key);
    if (holder?.state === 'claimed') return 'immutable';
    if (holder?.state === 'stored' && forbidOverwrite) return 'exists';
    const columns = objectColumns(object);
    if (holder?.state === 'issued') {
      this.#statements.storeIssued.run({ sequence: holder.sequence, ...columns });
      changes.push(
        changeOf({ account_id: holder.account_id, size: object.size }, 'issued', 'stored'),
      );
      return 'stored';
    }
    if (holder !== undefined) {
      this.#statements.markReplaced.run({
        sequence: holder.sequence,
        reason: 'replaced',
        at: object.storedAt,
        requestId: columns.requestId,
      });
      changes.push(changeOf(holder, 'stored', 'purging'));
    }
    const owner = holder ?? issueColumns(issue);
    this.#statements.insertStored.run({ key, ...owner, ...columns });
    changes.push(
      changeOf({ account_id: owner.account_id, size: object.size }, undefined, 'stored'),
    );
    return 'stored';
  }

  addSha256(locator: string, sha256: string): void {
    this.#statements.addSha256.run({ locator, sha256 });
  }

  findHolder(key: string): KeyHolder | undefined {
    const row = this.#statements.findHolder.get(key);
    return row && toKeyHolder(row);
  }

  findLive(key: string): LiveUpload | undefined {
    const row = this.#statements.findLive.get(key);
    return row && toLiveUpload(row);
  }

  findPurged(key: string): PurgedUpload | undefined {
    const row = this.#statements.findPurged.get(key);
    return row && toPurgedUpload(row);
  }

  list(afterSequence: number, limit: number): ListedUpload[] {
    const rows = this.#statements.list.all(afterSequence, limit);
    return rows.map(toListed);
  }

  hasBody(locator: string): boolean {
    return this.#statements.hasBody.get(locator) !== undefined;
  }

  isClaimable(locator: string, storedAfter: number): boolean {
    return this.#statements.isClaimable.get(locator, storedAfter) !== undefined;
  }

  claim(
    locator: string,
    packageId: string,
    { at, requestId }: Cause,
    changes: LedgerChange[],
  ): void {
    const row = this.#statements.claim.get({ locator, packageId, at, requestId });
    if (row !== undefined) changes.push(changeOf(row, 'stored', 'claimed'));
  }

  deleteStored(
    key: string,
    locator: string,
    { at, requestId }: Cause,
    changes: LedgerChange[],
  ): boolean {
    const row = this.#statements.deleteStored.get({ key, locator, at, requestId });
    if (row === undefined) return false;
    changes.push(changeOf(row, 'stored', 'purging'));
    return true;
  }

  deleteClaimed(packageId: string, { at, requestId }: Cause, changes: LedgerChange[]): void {
    for (const row of this.#statements.deleteClaimed.all({ packageId, at, requestId })) {
      changes.push(changeOf(row, 'claimed', 'purging'));
    }
  }

  listBodies(afterLocator: string, limit: number): ExpectedBody[] {
    return this.#statements.listBodies.all(afterLocator, limit);
  }

  oldestStored(): number | undefined {
    return this.#statements.oldestStored.get()?.oldest ?? undefined;
  }
}

/** Statements that find uploads. */
function prepareFindStatements(database: Database) {
  return {
    findHolder: database.prepare<[string], HolderRow>(
      `SELECT ${HOLDER} FROM uploads WHERE key = ? AND ${HOLDS_KEY}`,
    ),
    findLive: database.prepare<[string], UploadRow>(
      `SELECT * FROM uploads WHERE key = ? AND ${HOLDS_KEY}`,
    ),
    findPurged: database.prepare<[string], UploadRow>(
      `SELECT * FROM uploads WHERE key = ? AND state IN ('purging', 'purged')
       ORDER BY sequence DESC LIMIT 1`,
    ),
    list: database.prepare<[number, number], UploadRow>(
      `SELECT * FROM uploads WHERE sequence > ? ORDER BY sequence LIMIT ?`,
    ),
    hasBody: database.prepare<[string], { held: 1 }>(
      `SELECT 1 AS held FROM uploads WHERE locator = ? AND state <> 'purged'`,
    ),
    isClaimable: database.prepare<[string, number], { claimable: 1 }>(
      `SELECT 1 AS claimable FROM uploads WHERE locator = ? AND state = 'stored' AND stored_at > ?`,
    ),
    oldestStored: database.prepare<[], { oldest: number | null }>(
      `SELECT min(stored_at) AS oldest FROM uploads WHERE state = 'stored'`,
    ),
  };
}

/** Statements for the life of an upload up to its claim or deletion. */
function prepareUploadStatements(database: Database) {
  return {
    insertIssued: database.prepare<[string, string, number, number, string | null]>(
      `INSERT INTO uploads (state, key, account_id, issued_at, policy_expires_at, issued_request_id)
       VALUES ('issued', ?, ?, ?, ?, ?)`,
    ),
    storeIssued: database.prepare<ObjectColumns & { sequence: number }>(
      `UPDATE uploads SET ${SET_OBJECT} WHERE sequence = :sequence AND state = 'issued'`,
    ),
    insertStored: database.prepare<ObjectColumns & IssueColumns & { key: string }>(
      `INSERT INTO uploads (key, state, account_id, issued_at, policy_expires_at, issued_request_id,
         locator, size, md5, crc64, sha256, stored_at, headers, stored_request_id, peer)
       VALUES (:key, 'stored', :account_id, :issued_at, :policy_expires_at, :issued_request_id,
         :locator, :size, :md5, :crc64, :sha256, :storedAt, :headers, :requestId, :peer)`,
    ),
    markReplaced: database.prepare<Cause & { sequence: number; reason: PurgeReason }>(
      `UPDATE uploads SET ${SET_PURGING}, purge_reason = :reason, purge_request_id = :requestId
       WHERE sequence = :sequence AND state = 'stored'`,
    ),
    addSha256: database.prepare<{ locator: string; sha256: string }>(
      `UPDATE uploads SET sha256 = :sha256 WHERE locator = :locator`,
    ),
    claim: database.prepare<Cause & { locator: string; packageId: string }, OwnerColumns>(
      `UPDATE uploads SET state = 'claimed', package_id = :packageId, claimed_at = :at,
         claimed_request_id = :requestId
       WHERE locator = :locator AND state = 'stored' RETURNING ${OWNER}`,
    ),
    listBodies: database.prepare<[string, number], ExpectedBody>(
      `SELECT locator, size, md5, crc64, state, key, sequence FROM uploads
       WHERE locator > ? AND state IN ('stored', 'claimed', 'purging') ORDER BY locator LIMIT ?`,
    ),
    deleteStored: database.prepare<Cause & { key: string; locator: string }, OwnerColumns>(
      `UPDATE uploads SET ${SET_DELETED}
       WHERE locator = :locator AND key = :key AND state = 'stored' RETURNING ${OWNER}`,
    ),
    deleteClaimed: database.prepare<Cause & { packageId: string }, OwnerColumns>(
      `UPDATE uploads SET ${SET_DELETED}
       WHERE package_id = :packageId AND state = 'claimed' RETURNING ${OWNER}`,
    ),
  };
}
