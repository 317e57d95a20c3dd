import type { Database } from 'better-sqlite3';
import type { LedgerChange } from '../../uploads/ledger-changes.ts';
import type { FoundBody, PurgingBody } from '../../uploads/ports.ts';
import { toPurgingBody } from '../rows.ts';
import type { PurgingRow } from '../rows.ts';
import { disownedKey, PURGING_BODY, SET_PURGING } from '../columns.ts';
import type { OwnerColumns } from './upload-table.ts';
import { changeOf, OWNER } from './upload-table.ts';

/**
 * The statements of the purge for `uploads`. Call methods that write inside a transaction; they add what they change to
 * `changes`.
 */
export class PurgeTable {
  readonly #statements;

  constructor(database: Database) {
    this.#statements = preparePurgeStatements(database);
  }

  retire(packageId: string, at: number, changes: LedgerChange[]): PurgingBody[] {
    const rows = this.#statements.retire.all({ packageId, at });
    for (const row of rows) changes.push(changeOf(row, 'claimed', 'purging'));
    return rows.map(toPurgingBody);
  }

  expire(storedBefore: number, at: number, limit: number, changes: LedgerChange[]): PurgingBody[] {
    const rows = this.#statements.expire.all({ storedBefore, at, limit });
    for (const row of rows) changes.push(changeOf(row, 'stored', 'purging'));
    return rows.map(toPurgingBody);
  }

  /** @returns the first `limit` bodies in `purging` that pass a filter */
  listPurging(isWanted: (sequence: number) => boolean, limit: number): PurgingBody[] {
    const wanted: PurgingBody[] = [];
    for (const row of this.#statements.listPurging.iterate()) {
      if (wanted.length === limit) break;
      if (isWanted(row.sequence)) wanted.push(toPurgingBody(row));
    }
    return wanted;
  }

  disown(bodies: readonly FoundBody[], at: number, changes: LedgerChange[]): number {
    const { disown } = this.#statements;
    const disowned = bodies.filter(({ locator, size }) => {
      const { changes: rows } = disown.run({ key: disownedKey(locator), locator, size, at });
      if (rows > 0) changes.push(changeOf({ account_id: null, size }, undefined, 'purging'));
      return rows > 0;
    });
    return disowned.length;
  }

  isDisowned(locator: string): boolean {
    return this.#statements.findKeyOfBody.get(locator)?.key === disownedKey(locator);
  }

  confirmPurged(sequences: readonly number[], at: number, changes: LedgerChange[]): number[] {
    const { confirmPurged } = this.#statements;
    return sequences.filter((sequence) => {
      const row = confirmPurged.get({ sequence, at });
      if (row !== undefined) changes.push(changeOf(row, 'purging', 'purged'));
      return row !== undefined;
    });
  }

  pruneIssued(expiredBefore: number, limit: number, changes: LedgerChange[]): number {
    const rows = this.#statements.pruneIssued.all({ expiredBefore, limit });
    for (const row of rows) changes.push(changeOf(row, 'issued', undefined));
    return rows.length;
  }

  pruneTombstones(purgedBefore: number, limit: number, changes: LedgerChange[]): number {
    const rows = this.#statements.pruneTombstones.all({ purgedBefore, limit });
    for (const row of rows) changes.push(changeOf(row, 'purged', undefined));
    return rows.length;
  }
}

/** Statements from the claim deadline to the tombstone and its removal. */
function preparePurgeStatements(database: Database) {
  return {
    retire: database.prepare<{ packageId: string; at: number }, PurgingRow>(
      `UPDATE uploads SET ${SET_PURGING}, purge_reason = 'deleted', retired = 1
       WHERE package_id = :packageId AND state = 'claimed' RETURNING ${PURGING_BODY}`,
    ),
    expire: database.prepare<{ storedBefore: number; at: number; limit: number }, PurgingRow>(
      `UPDATE uploads SET ${SET_PURGING}, purge_reason = 'unclaimed'
       WHERE sequence IN (
         SELECT sequence FROM uploads WHERE state = 'stored' AND stored_at <= :storedBefore
         ORDER BY stored_at LIMIT :limit)
       RETURNING ${PURGING_BODY}`,
    ),
    listPurging: database.prepare<[], PurgingRow>(
      `SELECT ${PURGING_BODY} FROM uploads WHERE state = 'purging' ORDER BY sequence`,
    ),
    // The digests are not known, and not needed: the bytes are deleted.
    disown: database.prepare<FoundBody & { key: string; at: number }>(
      `INSERT INTO uploads (key, state, locator, size, md5, crc64, stored_at, headers, purge_reason, purging_since)
       VALUES (:key, 'purging', :locator, :size, '', '', :at, '{}', 'unclaimed', :at)
       ON CONFLICT (locator) WHERE locator IS NOT NULL DO NOTHING`,
    ),
    findKeyOfBody: database.prepare<[string], { key: string }>(
      `SELECT key FROM uploads WHERE locator = ?`,
    ),
    // Removes the headers: they may be most of a row, and are not needed any more.
    confirmPurged: database.prepare<{ sequence: number; at: number }, OwnerColumns>(
      `UPDATE uploads SET state = 'purged', purged_at = :at, headers = '{}'
       WHERE sequence = :sequence AND state = 'purging' RETURNING ${OWNER}`,
    ),
    pruneIssued: database.prepare<{ expiredBefore: number; limit: number }, OwnerColumns>(
      `DELETE FROM uploads WHERE sequence IN (
         SELECT sequence FROM uploads WHERE state = 'issued' AND policy_expires_at < :expiredBefore
         LIMIT :limit) RETURNING ${OWNER}`,
    ),
    pruneTombstones: database.prepare<{ purgedBefore: number; limit: number }, OwnerColumns>(
      `DELETE FROM uploads WHERE sequence IN (
         SELECT sequence FROM uploads WHERE state = 'purged' AND purged_at < :purgedBefore
         LIMIT :limit) RETURNING ${OWNER}`,
    ),
  };
}
