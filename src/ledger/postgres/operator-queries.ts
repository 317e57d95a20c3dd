import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import type {
  FoundUploads,
  ListedPackage,
  PackageQuery,
  UploadQuery,
} from '../../uploads/ledger-queries.ts';
import type { Upload } from '../../uploads/upload.ts';
import { UPLOAD_COLUMNS, toListed, toUpload } from '../rows.ts';
import type { UploadRow } from '../rows.ts';
import { like, optional, pattern, uploadConditions, uploadValues } from '../upload-conditions.ts';
import type { Values } from '../upload-conditions.ts';
import type { Connections } from './connections.ts';
import { findOrdered } from './ordered-uploads.ts';
import * as packages from './package-statements.ts';
import { statement, unnamed } from './statement.ts';

/** How many uploads a query looks at for those that match: together some tens of milliseconds. */
const SEARCHED = 100_000;

const FIND_HISTORY = statement<{ readonly key: string; readonly limit: number }, UploadRow>(
  'find_history',
  `SELECT ${UPLOAD_COLUMNS} FROM (
     SELECT * FROM uploads WHERE key = :key AND state IN ('issued', 'stored', 'claimed')
     UNION ALL
     SELECT * FROM uploads WHERE key = :key AND state IN ('purging', 'purged')) AS history
   ORDER BY sequence DESC LIMIT :limit`,
);

/** What operators ask. Conditions are written only when they apply, so that indexes are used. */
export class OperatorQueries {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async findUploads(query: UploadQuery): Promise<FoundUploads> {
    if (query.order === 'largest' || query.order === 'oldest') {
      return { uploads: await findOrdered(this.#connections, query, query.order) };
    }
    const before = query.beforeSequence ?? Number.MAX_SAFE_INTEGER;
    const floor = await this.#findFloor(query, before);
    const conditions = [
      'sequence < :before',
      ...(floor === undefined ? [] : ['sequence >= :floor']),
      ...uploadConditions(query, 'ILIKE'),
    ];
    const { rows } = await this.#connections.read(
      unnamed<Values, UploadRow>(
        `SELECT ${UPLOAD_COLUMNS} FROM uploads WHERE ${conditions.join(' AND ')}
         ORDER BY sequence DESC LIMIT :limit`,
      ),
      { ...uploadValues(query), ...optional({ floor }), before, limit: query.limit },
    );
    const uploads = rows.map(toListed);
    return floor === undefined || rows.length === query.limit
      ? { uploads }
      : { uploads, searchedTo: floor };
  }

  async findHistory(key: string, limit: number): Promise<Upload[]> {
    const { rows } = await this.#connections.read(FIND_HISTORY, { key, limit });
    return rows.map(toUpload);
  }

  async findPackages({
    accountId,
    beforeSequence = Number.MAX_SAFE_INTEGER,
    limit,
    text,
  }: PackageQuery): Promise<ListedPackage[]> {
    const conditions = ['sequence < :before'];
    if (accountId !== undefined) conditions.push('account_id = :accountId');
    if (text !== undefined) {
      conditions.push(`(${like('name', 'ILIKE')} OR ${like('dest_version', 'ILIKE')})`);
    }
    const values = optional({ accountId, text: pattern(text), before: beforeSequence, limit });
    const { rows } = await this.#connections.read(packages.findPackages(conditions), values);
    return rows.map((row) => ({
      sequence: row.sequence,
      package: packages.toWholePackage(row),
    }));
  }

  async findPackageById(packageId: string): Promise<FirmwarePackage | undefined> {
    const { rows } = await this.#connections.read(packages.FIND_PACKAGE_BY_ID, { packageId });
    return rows[0] && packages.toWholePackage(rows[0]);
  }

  /** @returns the lowest sequence that a query looks at; undefined when it looks at all, or none is looked at in vain */
  async #findFloor(query: UploadQuery, before: number): Promise<number | undefined> {
    const { accountId } = query;
    // An index has the account.
    const found = accountId === undefined ? 0 : 1;
    if (uploadConditions(query, 'ILIKE').length === found) return undefined;
    const ofAccount = accountId === undefined ? '' : 'account_id = :accountId AND';
    const { rows } = await this.#connections.read(
      unnamed<Values, { readonly sequence: number }>(
        `SELECT sequence FROM uploads WHERE ${ofAccount} sequence < :before
         ORDER BY sequence DESC OFFSET ${String(SEARCHED - 1)} LIMIT 1`,
      ),
      optional({ accountId, before }),
    );
    return rows[0]?.sequence;
  }
}
