import type { Database, Statement } from 'better-sqlite3';
import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import type { PackageChange, PackageFilter, PackageOwner } from '../../uploads/ports.ts';
import { CHANGE_PACKAGE, INSERT_PACKAGE, changeColumns, packageCondition } from '../columns.ts';
import type { ChangeColumns } from '../columns.ts';
import { toPackage, toPackageRow } from '../rows.ts';
import type { PackageFileRow, PackageRow } from '../rows.ts';

/** The statements for all filters with the same members. */
interface Listing {
  readonly count: Statement<[PackageFilter], { total: number }>;
  readonly list: Statement<[PackageFilter], PackageRow>;
}

/** The statements for `firmware_packages` and `package_files`. Call methods that write inside a transaction. */
export class PackageTable {
  readonly #database: Database;
  readonly #statements;
  readonly #listings = new Map<string, Listing>();

  constructor(database: Database) {
    this.#database = database;
    this.#statements = prepareStatements(database);
  }

  insert(firmwarePackage: FirmwarePackage): void {
    this.#statements.insertPackage.run(toPackageRow(firmwarePackage));
    for (const [index, file] of firmwarePackage.files.entries()) {
      this.#statements.insertFile.run({
        ...file,
        name: file.name ?? null,
        packageId: firmwarePackage.id,
        place: index,
      });
    }
  }

  find(accountId: string, packageId: string): FirmwarePackage | undefined {
    return this.#withFiles(this.#statements.find.get(accountId, packageId));
  }

  findByName(accountId: string, name: string): FirmwarePackage | undefined {
    return this.#withFiles(this.#statements.findByName.get(accountId, name));
  }

  /** Whether the product already has the version in this module; false without a product. */
  isVersionTaken(wanted: FirmwarePackage): boolean {
    if (wanted.productKey === undefined) return false;
    return this.#statements.findVersion.get(toPackageRow(wanted)) !== undefined;
  }

  /** @returns the number of packages of an account in an instance; undefined: outside of all instances */
  count(accountId: string, instanceId: string | undefined): number {
    return this.#statements.countInstance.get(accountId, instanceId ?? '')?.total ?? 0;
  }

  /** @returns the number of packages of each account */
  countAll(): { accountId: string; count: number }[] {
    return this.owners().map(({ accountId, packages }) => ({ accountId, count: packages }));
  }

  list(filter: PackageFilter): { total: number; packages: FirmwarePackage[] } {
    const { count, list } = this.#listing(filter);
    return {
      total: count.get(filter)?.total ?? 0,
      packages: list.all(filter).map((row) => toPackage(row, this.#statements.files.all(row.id))),
    };
  }

  #listing(filter: PackageFilter): Listing {
    const condition = packageCondition(filter);
    const known = this.#listings.get(condition);
    if (known !== undefined) return known;
    const listing = prepareListing(this.#database, condition);
    this.#listings.set(condition, listing);
    return listing;
  }

  modify(packageId: string, change: PackageChange): void {
    this.#statements.modify.run({ id: packageId, ...changeColumns(change) });
  }

  delete(accountId: string, packageId: string): boolean {
    return this.#statements.delete.run(accountId, packageId).changes === 1;
  }

  /** @returns the deleted packages */
  deleteOld(createdBefore: number, limit: number): FirmwarePackage[] {
    const rows = this.#statements.old.all({ createdBefore, limit });
    const packages = rows.map((row) => toPackage(row, this.#statements.files.all(row.id)));
    for (const { accountId, id } of packages) this.delete(accountId, id);
    return packages;
  }

  owners(): PackageOwner[] {
    return this.#statements.owners.all();
  }

  #withFiles(row: PackageRow | undefined): FirmwarePackage | undefined {
    return row && toPackage(row, this.#statements.files.all(row.id));
  }
}

function prepareListing(database: Database, condition: string): Listing {
  return {
    count: database.prepare<[PackageFilter], { total: number }>(
      `SELECT count(*) AS total FROM firmware_packages WHERE ${condition}`,
    ),
    list: database.prepare<[PackageFilter], PackageRow>(
      `SELECT * FROM firmware_packages WHERE ${condition}
       ORDER BY sequence DESC LIMIT :limit OFFSET :offset`,
    ),
  };
}

function prepareStatements(database: Database) {
  return {
    insertPackage: database.prepare<PackageRow>(INSERT_PACKAGE),
    insertFile: database.prepare<PackageFileRow & { packageId: string; place: number }>(
      `INSERT INTO package_files (package_id, place, name, key, size, sign, md5)
       VALUES (:packageId, :place, :name, :key, :size, :sign, :md5)`,
    ),
    find: database.prepare<[string, string], PackageRow>(
      'SELECT * FROM firmware_packages WHERE account_id = ? AND id = ?',
    ),
    owners: database.prepare<[], PackageOwner>(
      `SELECT account_id AS accountId, count(*) AS packages FROM firmware_packages
       GROUP BY account_id ORDER BY min(sequence)`,
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
    modify: database.prepare<ChangeColumns & { id: string }>(
      `UPDATE firmware_packages SET ${CHANGE_PACKAGE}
       WHERE id = :id`,
    ),
    delete: database.prepare<[string, string]>(
      'DELETE FROM firmware_packages WHERE account_id = ? AND id = ?',
    ),
    old: database.prepare<{ createdBefore: number; limit: number }, PackageRow>(
      `SELECT * FROM firmware_packages WHERE created_at <= :createdBefore
       ORDER BY created_at LIMIT :limit`,
    ),
  };
}
