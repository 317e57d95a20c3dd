import type { Database } from 'better-sqlite3';
import type {
  IssuedGrant,
  ListedUpload,
  PurgingBody,
  StoredRecord,
  StoreOutcome,
} from '../../uploads/ports.ts';
import type { LiveUpload, PurgedUpload, PurgeReason } from '../../uploads/upload.ts';
import { toLiveUpload, toPurgedUpload, toUpload } from './rows.ts';
import type { UploadRow } from './rows.ts';

const HOLDS_KEY = `state IN ('issued', 'stored', 'claimed')`;
const PURGING_BODY = 'sequence, key, locator, size';

interface ObjectColumns {
  readonly locator: string;
  readonly size: number;
  readonly md5: string;
  readonly crc64: string;
  readonly sha256: string | null;
  readonly storedAt: number;
  readonly headers: string;
}

type IssueColumns = Pick<UploadRow, 'account_id' | 'issued_at' | 'policy_expires_at'>;

const NO_ISSUE: IssueColumns = { account_id: null, issued_at: null, policy_expires_at: null };

/** The statements for `uploads`. Call methods that write inside a transaction. */
export class UploadTable {
  readonly #statements;

  constructor(database: Database) {
    this.#statements = {
      ...prepareUploadStatements(database),
      ...preparePurgeStatements(database),
    };
  }

  insertIssued(grant: IssuedGrant): void {
    this.#statements.insertIssued.run(grant);
  }

  store({ key, object, forbidOverwrite }: StoredRecord): StoreOutcome {
    const holder = this.#statements.findLive.get(key);
    if (holder?.state === 'claimed') return 'immutable';
    if (holder?.state === 'stored' && forbidOverwrite) return 'exists';
    const columns: ObjectColumns = {
      ...object,
      sha256: object.sha256 ?? null,
      headers: JSON.stringify(object.headers),
    };
    if (holder?.state === 'issued') {
      this.#statements.storeIssued.run({ ...columns, sequence: holder.sequence });
      return 'stored';
    }
    if (holder !== undefined) {
      this.#statements.markReplaced.run({
        sequence: holder.sequence,
        reason: 'replaced',
        at: object.storedAt,
      });
    }
    this.#statements.insertStored.run({ ...NO_ISSUE, ...holder, ...columns, key });
    return 'stored';
  }

  addSha256(locator: string, sha256: string): void {
    this.#statements.addSha256.run({ locator, sha256 });
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
    return rows.map((row) => ({ sequence: row.sequence, upload: toUpload(row) }));
  }

  hasBody(locator: string): boolean {
    return this.#statements.hasBody.get(locator) !== undefined;
  }

  isClaimable(locator: string, storedAfter: number): boolean {
    return this.#statements.isClaimable.get(locator, storedAfter) !== undefined;
  }

  claim(locator: string, packageId: string): void {
    this.#statements.claim.run({ locator, packageId });
  }

  deleteStored(key: string, locator: string, at: number): boolean {
    return this.#statements.deleteStored.run({ key, locator, at }).changes === 1;
  }

  deleteClaimed(packageId: string, at: number): void {
    this.#statements.deleteClaimed.run({ packageId, at });
  }

  expire(storedBefore: number, at: number, limit: number): PurgingBody[] {
    return this.#statements.expire.all({ storedBefore, at, limit });
  }

  listPurging(afterSequence: number, limit: number): PurgingBody[] {
    return this.#statements.listPurging.all(afterSequence, limit);
  }

  confirmPurged(sequences: readonly number[], at: number): number[] {
    const { confirmPurged } = this.#statements;
    return sequences.filter((sequence) => confirmPurged.run({ sequence, at }).changes > 0);
  }

  pruneIssued(expiredBefore: number, except: readonly string[], limit: number): number {
    const keys = JSON.stringify(except);
    return this.#statements.pruneIssued.run({ expiredBefore, keys, limit }).changes;
  }

  pruneTombstones(purgedBefore: number, limit: number): number {
    return this.#statements.pruneTombstones.run({ purgedBefore, limit }).changes;
  }
}

const SET_OBJECT = `state = 'stored', locator = :locator, size = :size, md5 = :md5, crc64 = :crc64,
  sha256 = :sha256, stored_at = :storedAt, headers = :headers`;

const SET_PURGING = `state = 'purging', purging_since = :at`;

/** Statements for the life of an upload up to its claim. */
function prepareUploadStatements(database: Database) {
  return {
    insertIssued: database.prepare<IssuedGrant>(
      `INSERT INTO uploads (key, state, account_id, issued_at, policy_expires_at)
       VALUES (:key, 'issued', :accountId, :issuedAt, :policyExpiresAt)`,
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
    storeIssued: database.prepare<ObjectColumns & { sequence: number }>(
      `UPDATE uploads SET ${SET_OBJECT} WHERE sequence = :sequence AND state = 'issued'`,
    ),
    insertStored: database.prepare<ObjectColumns & IssueColumns & { key: string }>(
      `INSERT INTO uploads (key, state, account_id, issued_at, policy_expires_at,
         locator, size, md5, crc64, sha256, stored_at, headers)
       VALUES (:key, 'stored', :account_id, :issued_at, :policy_expires_at,
         :locator, :size, :md5, :crc64, :sha256, :storedAt, :headers)`,
    ),
    markReplaced: database.prepare<{ sequence: number; reason: PurgeReason; at: number }>(
      `UPDATE uploads SET ${SET_PURGING}, purge_reason = :reason
       WHERE sequence = :sequence AND state = 'stored'`,
    ),
    addSha256: database.prepare<{ locator: string; sha256: string }>(
      `UPDATE uploads SET sha256 = :sha256 WHERE locator = :locator`,
    ),
    hasBody: database.prepare<[string], { held: 1 }>(
      `SELECT 1 AS held FROM uploads WHERE locator = ? AND state <> 'purged'`,
    ),
    isClaimable: database.prepare<[string, number], { claimable: 1 }>(
      `SELECT 1 AS claimable FROM uploads WHERE locator = ? AND state = 'stored' AND stored_at > ?`,
    ),
    claim: database.prepare<{ locator: string; packageId: string }>(
      `UPDATE uploads SET state = 'claimed', package_id = :packageId
       WHERE locator = :locator AND state = 'stored'`,
    ),
  };
}

/** Statements from the claim deadline or a deletion to the tombstone and its removal. */
function preparePurgeStatements(database: Database) {
  return {
    deleteStored: database.prepare<{ key: string; locator: string; at: number }>(
      `UPDATE uploads SET ${SET_PURGING}, purge_reason = 'deleted'
       WHERE locator = :locator AND key = :key AND state = 'stored'`,
    ),
    deleteClaimed: database.prepare<{ packageId: string; at: number }>(
      `UPDATE uploads SET ${SET_PURGING}, purge_reason = 'deleted'
       WHERE package_id = :packageId AND state = 'claimed'`,
    ),
    expire: database.prepare<{ storedBefore: number; at: number; limit: number }, PurgingBody>(
      `UPDATE uploads SET ${SET_PURGING}, purge_reason = 'unclaimed'
       WHERE sequence IN (
         SELECT sequence FROM uploads WHERE state = 'stored' AND stored_at <= :storedBefore
         ORDER BY stored_at LIMIT :limit)
       RETURNING ${PURGING_BODY}`,
    ),
    listPurging: database.prepare<[number, number], PurgingBody>(
      `SELECT ${PURGING_BODY} FROM uploads WHERE state = 'purging' AND sequence > ?
       ORDER BY sequence LIMIT ?`,
    ),
    // Removes the headers: they may be most of a row, and are not needed any more.
    confirmPurged: database.prepare<{ sequence: number; at: number }>(
      `UPDATE uploads SET state = 'purged', purged_at = :at, headers = '{}'
       WHERE sequence = :sequence AND state = 'purging'`,
    ),
    pruneIssued: database.prepare<{ expiredBefore: number; keys: string; limit: number }>(
      `DELETE FROM uploads WHERE sequence IN (
         SELECT sequence FROM uploads WHERE state = 'issued' AND policy_expires_at < :expiredBefore
           AND key NOT IN (SELECT value FROM json_each(:keys)) LIMIT :limit)`,
    ),
    pruneTombstones: database.prepare<{ purgedBefore: number; limit: number }>(
      `DELETE FROM uploads WHERE sequence IN (
         SELECT sequence FROM uploads WHERE state = 'purged' AND purged_at < :purgedBefore
         LIMIT :limit)`,
    ),
  };
}
