import type { Database } from 'better-sqlite3';
import type { PackageChange, PackageFilter } from '../ports.ts';
import type { FirmwarePackage } from '../uploads/firmware-package.ts';
import { toPackage } from './rows.ts';
import type { PackageFileRow, PackageRow } from './rows.ts';

interface FilterColumns {
  readonly accountId: string;
  readonly instanceId: string | null;
  readonly productKey: string | null;
  readonly destVersion: string | null;
}

interface ChangeColumns {
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly udi: string | null;
  readonly status: number | null;
  readonly verifyProgress: number | null;
  readonly modifiedAt: number;
}

/** The statements over `firmware_packages` and `package_files`. Methods that write belong inside a transaction. */
export class PackageTable {
  readonly #statements;

  constructor(database: Database) {
    this.#statements = prepareStatements(database);
  }

  insert(firmwarePackage: FirmwarePackage): void {
    this.#statements.insertPackage.run(toPackageRow(firmwarePackage));
    for (const [place, file] of firmwarePackage.files.entries()) {
      this.#statements.insertFile.run({
        ...file,
        name: file.name ?? null,
        packageId: firmwarePackage.id,
        place,
      });
    }
  }

  find(accountId: string, packageId: string): FirmwarePackage | undefined {
    return this.#withFiles(this.#statements.find.get(accountId, packageId));
  }

  findByName(accountId: string, name: string): FirmwarePackage | undefined {
    return this.#withFiles(this.#statements.findByName.get(accountId, name));
  }

  /** A version is one in its product and module; without a product there is nothing to clash with. */
  versionIsTaken(wanted: FirmwarePackage): boolean {
    if (wanted.productKey === undefined) return false;
    return this.#statements.findVersion.get(toPackageRow(wanted)) !== undefined;
  }

  /** How many packages an account has in an instance, or outside of all. */
  count(accountId: string, instanceId: string | undefined): number {
    return this.#statements.countInstance.get(accountId, instanceId ?? '')?.total ?? 0;
  }

  list(filter: PackageFilter): { total: number; packages: FirmwarePackage[] } {
    const columns = toFilterColumns(filter);
    const rows = this.#statements.list.all({
      ...columns,
      limit: filter.limit,
      offset: filter.offset,
    });
    return {
      total: this.#statements.count.get(columns)?.total ?? 0,
      packages: rows.map((row) => toPackage(row, this.#statements.files.all(row.id))),
    };
  }

  modify(packageId: string, change: PackageChange): void {
    this.#statements.modify.run({
      id: packageId,
      name: change.name ?? null,
      description: change.description ?? null,
      udi: change.udi ?? null,
      status: change.status ?? null,
      verifyProgress: change.verifyProgress ?? null,
      modifiedAt: change.modifiedAt,
    });
  }

  delete(accountId: string, packageId: string): boolean {
    return this.#statements.delete.run(accountId, packageId).changes === 1;
  }

  #withFiles(row: PackageRow | undefined): FirmwarePackage | undefined {
    return row && toPackage(row, this.#statements.files.all(row.id));
  }
}

function toPackageRow(firmwarePackage: FirmwarePackage): PackageRow {
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

function toFilterColumns(
  filter: Pick<PackageFilter, 'accountId' | 'instanceId' | 'productKey' | 'destVersion'>,
): FilterColumns {
  return {
    accountId: filter.accountId,
    instanceId: filter.instanceId ?? null,
    productKey: filter.productKey ?? null,
    destVersion: filter.destVersion ?? null,
  };
}

const MATCHES = `account_id = :accountId
  AND (:instanceId IS NULL OR instance_id = :instanceId)
  AND (:productKey IS NULL OR product_key = :productKey)
  AND (:destVersion IS NULL OR dest_version = :destVersion)`;

function prepareStatements(database: Database) {
  return {
    insertPackage: database.prepare<PackageRow>(
      `INSERT INTO firmware_packages (id, account_id, instance_id, name, description, dest_version,
         src_version, differential, module_name, product_key, sign_method, udi, status,
         verify_progress, created_at, modified_at)
       VALUES (:id, :account_id, :instance_id, :name, :description, :dest_version,
         :src_version, :differential, :module_name, :product_key, :sign_method, :udi, :status,
         :verify_progress, :created_at, :modified_at)`,
    ),
    insertFile: database.prepare<PackageFileRow & { packageId: string; place: number }>(
      `INSERT INTO package_files (package_id, place, name, key, size, sign, md5)
       VALUES (:packageId, :place, :name, :key, :size, :sign, :md5)`,
    ),
    find: database.prepare<[string, string], PackageRow>(
      'SELECT * FROM firmware_packages WHERE account_id = ? AND id = ?',
    ),
    findByName: database.prepare<[string, string], PackageRow>(
      'SELECT * FROM firmware_packages WHERE account_id = ? AND name = ?',
    ),
    findVersion: database.prepare<PackageRow, { id: string }>(
      `SELECT id FROM firmware_packages
       WHERE account_id = :account_id AND instance_id = :instance_id AND product_key = :product_key
         AND dest_version = :dest_version AND lower(module_name) = lower(:module_name)
         AND differential = :differential
         AND iif(differential, src_version, '') = iif(:differential, :src_version, '')`,
    ),
    files: database.prepare<[string], PackageFileRow>(
      'SELECT name, key, size, sign, md5 FROM package_files WHERE package_id = ? ORDER BY place',
    ),
    countInstance: database.prepare<[string, string], { total: number }>(
      'SELECT count(*) AS total FROM firmware_packages WHERE account_id = ? AND instance_id = ?',
    ),
    count: database.prepare<FilterColumns, { total: number }>(
      `SELECT count(*) AS total FROM firmware_packages WHERE ${MATCHES}`,
    ),
    list: database.prepare<FilterColumns & { limit: number; offset: number }, PackageRow>(
      `SELECT * FROM firmware_packages WHERE ${MATCHES}
       ORDER BY sequence DESC LIMIT :limit OFFSET :offset`,
    ),
    modify: database.prepare<ChangeColumns>(
      `UPDATE firmware_packages SET name = coalesce(:name, name),
         description = coalesce(:description, description), udi = coalesce(:udi, udi),
         status = coalesce(:status, status),
         verify_progress = coalesce(:verifyProgress, verify_progress), modified_at = :modifiedAt
       WHERE id = :id`,
    ),
    delete: database.prepare<[string, string]>(
      'DELETE FROM firmware_packages WHERE account_id = ? AND id = ?',
    ),
  };
}
