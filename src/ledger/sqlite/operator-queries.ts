import type { Database } from 'better-sqlite3';
import { setImmediate } from '../../lib/timers.ts';
import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import type {
  FoundUploads,
  ListedPackage,
  ListedUpload,
  PackageQuery,
  StateCount,
  UploadCounts,
  UploadQuery,
} from '../../uploads/ledger-queries.ts';
import type { Upload, UploadState } from '../../uploads/upload.ts';
import { findOrdered } from './ordered-uploads.ts';
import { toPackage, toListed, toUpload } from '../rows.ts';
import type { PackageFileRow, PackageRow, UploadRow } from '../rows.ts';
import { like, optional, pattern, uploadConditions, uploadValues } from '../upload-conditions.ts';
import type { Values } from '../upload-conditions.ts';

/** How many sequences one step looks at, which takes a few milliseconds. */
const WINDOW = 5000;
/** How many steps a query that lists uploads takes at most: together some tens of milliseconds. */
const MAX_STEPS = 20;
const NONE: StateCount = { count: 0, bytes: 0 };

/** The statements for what operators ask. Conditions are written only when they apply, so that indexes are used. */
export class OperatorQueries {
  readonly #database: Database;
  readonly #statements;

  constructor(database: Database) {
    this.#database = database;
    this.#statements = prepareStatements(database);
  }

  async findUploads(query: UploadQuery): Promise<FoundUploads> {
    if (query.order === 'largest' || query.order === 'oldest') {
      return { uploads: await findOrdered(this.#database, query, query.order) };
    }
    const found: ListedUpload[] = [];
    const conditions = [IN_WINDOW, ...uploadConditions(query, 'LIKE')];
    const sql = `SELECT * FROM uploads WHERE ${conditions.join(' AND ')}
       ORDER BY sequence DESC LIMIT :limit`;
    const list = this.#database.prepare<[Values], UploadRow>(sql);
    let steps = 0;
    for await (const window of this.#windows(query.accountId, query.beforeSequence)) {
      if (steps === MAX_STEPS) return { uploads: found, searchedTo: window.ceiling + 1 };
      steps += 1;
      const limit = query.limit - found.length;
      const rows = list.all({ ...uploadValues(query), ...window, limit });
      found.push(...rows.map(toListed));
      if (rows.length === limit) break;
    }
    return { uploads: found };
  }

  findHistory(key: string, limit: number): Upload[] {
    return this.#statements.history.all({ key, limit }).map(toUpload);
  }

  findPackages({
    accountId,
    beforeSequence = Number.MAX_SAFE_INTEGER,
    limit,
    text,
  }: PackageQuery): ListedPackage[] {
    const conditions = ['sequence < :before'];
    if (accountId !== undefined) conditions.push('account_id = :accountId');
    if (text !== undefined)
      conditions.push(`(${like('name', 'LIKE')} OR ${like('dest_version', 'LIKE')})`);
    const rows = this.#database
      .prepare<[Values], PackageRow & { sequence: number }>(
        `SELECT * FROM firmware_packages WHERE ${conditions.join(' AND ')}
         ORDER BY sequence DESC LIMIT :limit`,
      )
      .all({ ...optional({ accountId, text: pattern(text) }), before: beforeSequence, limit });
    return rows.map((row) => ({ sequence: row.sequence, package: this.#withFiles(row) }));
  }

  findPackageById(packageId: string): FirmwarePackage | undefined {
    const row = this.#statements.package.get(packageId);
    return row && this.#withFiles(row);
  }

  async countUploads(accountId?: string): Promise<UploadCounts> {
    const counts = { issued: NONE, stored: NONE, claimed: NONE, purging: NONE, purged: NONE };
    const count = this.#database.prepare<[Values], StateCount & { state: UploadState }>(
      `SELECT state, count(*) AS count, coalesce(sum(size), 0) AS bytes FROM uploads
       WHERE ${IN_WINDOW}${accountId === undefined ? '' : ' AND account_id = :accountId'}
       GROUP BY state`,
    );
    for await (const window of this.#windows(accountId, undefined)) {
      for (const { bytes, count: more, state } of count.all({
        ...window,
        ...optional({ accountId }),
      })) {
        const before = counts[state];
        counts[state] = { count: before.count + more, bytes: before.bytes + bytes };
      }
    }
    return counts;
  }

  #withFiles(row: PackageRow): FirmwarePackage {
    return toPackage(row, this.#statements.files.all(row.id));
  }

  /** Steps through the uploads, the newest first. Skips gaps, and lets others run between two steps. */
  async *#windows(
    accountId: string | undefined,
    beforeSequence = Number.MAX_SAFE_INTEGER,
  ): AsyncGenerator<{ readonly floor: number; readonly ceiling: number }, void, undefined> {
    let before = beforeSequence;
    for (;;) {
      const newest =
        accountId === undefined
          ? this.#statements.newest.get(before)
          : this.#statements.newestOfAccount.get(accountId, before);
      const ceiling = newest?.sequence ?? undefined;
      if (ceiling === undefined) return;
      const floor = ceiling - WINDOW + 1;
      yield { floor, ceiling };
      before = floor;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const IN_WINDOW = 'sequence BETWEEN :floor AND :ceiling';

function prepareStatements(database: Database) {
  return {
    newest: database.prepare<[number], { sequence: number | null }>(
      'SELECT max(sequence) AS sequence FROM uploads WHERE sequence < ?',
    ),
    newestOfAccount: database.prepare<[string, number], { sequence: number | null }>(
      'SELECT max(sequence) AS sequence FROM uploads WHERE account_id = ? AND sequence < ?',
    ),
    history: database.prepare<{ key: string; limit: number }, UploadRow>(
      `SELECT * FROM (
         SELECT * FROM uploads WHERE key = :key AND state IN ('issued', 'stored', 'claimed')
         UNION ALL
         SELECT * FROM uploads WHERE key = :key AND state IN ('purging', 'purged'))
       ORDER BY sequence DESC LIMIT :limit`,
    ),
    package: database.prepare<[string], PackageRow>('SELECT * FROM firmware_packages WHERE id = ?'),
    files: database.prepare<[string], PackageFileRow>(
      'SELECT name, key, size, sign, md5 FROM package_files WHERE package_id = ? ORDER BY place',
    ),
  };
}
