import type { FirmwarePackage, PackageFile } from '../../uploads/firmware-package.ts';
import type { PackageFilter, PackageOwner } from '../../uploads/ports.ts';
import { CHANGE_PACKAGE, INSERT_PACKAGE, packageCondition } from '../columns.ts';
import type { ChangeColumns } from '../columns.ts';
import { toPackage } from '../rows.ts';
import type { PackageFileRow, PackageRow } from '../rows.ts';
import { SET_DELETED } from '../columns.ts';
import type { Cause } from '../columns.ts';
import { statement, unnamed } from './statement.ts';
import type { None, Statement } from './statement.ts';

/** A package with its files in their order. */
export type WholePackageRow = PackageRow & {
  readonly sequence: number;
  readonly files: readonly PackageFileRow[];
};

interface Named {
  readonly accountId: string;
  readonly name: string;
}

interface Identified {
  readonly accountId: string;
  readonly packageId: string;
}

/** Lists its columns: the files come as one of them. */
const WHOLE_PACKAGE = `sequence, id, account_id, instance_id, name, description, dest_version, src_version, differential,
  module_name, product_key, sign_method, udi, status, verify_progress, created_at, modified_at,
  (SELECT coalesce(json_agg(json_build_object('name', file.name, 'key', file.key, 'size', file.size, 'sign', file.sign,
     'md5', file.md5) ORDER BY place), '[]')
   FROM package_files AS file WHERE package_id = id) AS files`;

export function toWholePackage({ files, ...row }: WholePackageRow): FirmwarePackage {
  return toPackage(row, files);
}

/** What a claim asks before it changes anything. The lock of the account keeps the result true until its commit. */
export const CHECK_PACKAGE = statement<
  PackageRow,
  { readonly name_taken: boolean; readonly version_taken: boolean; readonly total: number }
>(
  'check_package',
  `SELECT
     EXISTS (SELECT FROM firmware_packages WHERE account_id = :account_id AND name = :name) AS name_taken,
     EXISTS (SELECT FROM firmware_packages
       WHERE account_id = :account_id AND instance_id = :instance_id AND product_key = :product_key
         AND dest_version = :dest_version AND lower(module_name) = lower(:module_name COLLATE "C")
         AND differential = :differential
         AND (differential = 0 OR src_version = :src_version)) AS version_taken,
     (SELECT count(*) FROM firmware_packages
       WHERE account_id = :account_id AND instance_id = :instance_id) AS total`,
);

export const ADD_PACKAGE = statement<PackageRow>('add_package', INSERT_PACKAGE);

/** The files as JSON, because arrays of arrays cannot hold NULL beside text. */
export const ADD_FILES = statement<{ readonly packageId: string; readonly files: string }>(
  'add_files',
  `INSERT INTO package_files (package_id, place, name, key, size, sign, md5)
   SELECT :packageId, place, name, key, size, sign, md5
   FROM json_to_recordset(CAST(:files AS json))
     AS file (place integer, name text, key text, size bigint, sign text, md5 text)`,
);

export function filesJson(files: readonly PackageFile[]): string {
  return JSON.stringify(files.map((file, place) => ({ place, ...file })));
}

export const FIND_PACKAGE = statement<Identified, WholePackageRow>(
  'find_package',
  `SELECT ${WHOLE_PACKAGE} FROM firmware_packages WHERE account_id = :accountId AND id = :packageId`,
);

export const FIND_PACKAGE_BY_NAME = statement<Named, WholePackageRow>(
  'find_package_by_name',
  `SELECT ${WHOLE_PACKAGE} FROM firmware_packages WHERE account_id = :accountId AND name = :name`,
);

export const FIND_PACKAGE_BY_ID = statement<{ readonly packageId: string }, WholePackageRow>(
  'find_package_by_id',
  `SELECT ${WHOLE_PACKAGE} FROM firmware_packages WHERE id = :packageId`,
);

export const PACKAGE_OWNERS = statement<None, PackageOwner>(
  'package_owners',
  `SELECT account_id AS "accountId", count(*) AS packages FROM firmware_packages
   GROUP BY account_id ORDER BY min(sequence)`,
);

/** The page of a list, and how many packages there are in all. */
export function listPackages(filter: PackageFilter): {
  readonly count: Statement<PackageFilter, { readonly total: number }>;
  readonly list: Statement<PackageFilter, WholePackageRow>;
} {
  const condition = packageCondition(filter);
  return {
    count: unnamed(`SELECT count(*) AS total FROM firmware_packages WHERE ${condition}`),
    list: unnamed(
      `SELECT ${WHOLE_PACKAGE} FROM firmware_packages WHERE ${condition}
       ORDER BY sequence DESC LIMIT :limit OFFSET :offset`,
    ),
  };
}

export function findPackages(
  conditions: readonly string[],
): Statement<Readonly<Record<string, string | number | null>>, WholePackageRow> {
  return unnamed(
    `SELECT ${WHOLE_PACKAGE} FROM firmware_packages WHERE ${conditions.join(' AND ')}
     ORDER BY sequence DESC LIMIT :limit`,
  );
}

export const MODIFY_PACKAGE = statement<ChangeColumns & Identified>(
  'modify_package',
  `UPDATE firmware_packages SET ${CHANGE_PACKAGE} WHERE account_id = :accountId AND id = :packageId`,
);

export const DELETE_PACKAGE = statement<Cause & Identified, { readonly gone: number }>(
  'delete_package',
  `WITH gone AS (
     DELETE FROM firmware_packages WHERE account_id = :accountId AND id = :packageId RETURNING id),
   freed AS (
     UPDATE uploads SET ${SET_DELETED}
     WHERE package_id IN (SELECT id FROM gone) AND state = 'claimed')
   SELECT count(*) AS gone FROM gone`,
);

/** Those that another gateway is about to remove are left out. */
export const LOCK_OLD_PACKAGES = statement<
  { readonly createdBefore: number; readonly limit: number },
  WholePackageRow
>(
  'lock_old_packages',
  `SELECT ${WHOLE_PACKAGE} FROM firmware_packages WHERE created_at <= :createdBefore
   ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED`,
);

export const DELETE_PACKAGES = statement<{ readonly packageIds: readonly string[] }>(
  'delete_packages',
  'DELETE FROM firmware_packages WHERE id = ANY(:packageIds)',
);
