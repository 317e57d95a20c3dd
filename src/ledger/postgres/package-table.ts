import type { FirmwarePackage } from '../../uploads/firmware-package.ts';
import type {
  ClaimRecord,
  ClaimRecordOutcome,
  PackageChange,
  PackageFilter,
  PackageOwner,
  RetiredPackages,
} from '../../uploads/ports.ts';
import { changeColumns } from '../columns.ts';
import { toPackageRow } from '../rows.ts';
import type { Cause } from '../columns.ts';
import { violatedIndex } from './connections.ts';
import type { Connections, RunStatement } from './connections.ts';
import * as packages from './package-statements.ts';
import { RETIRE } from './purge-statements.ts';
import { CLAIM, LIST_CLAIMABLE, LOCK_ACCOUNT } from './upload-statements.ts';
import { inOrder } from './upload-table.ts';

const NAMES = new Set(['packages_by_name']);

/** The firmware packages, and how they claim uploads and give them up. */
export class PackageTable {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  claim(record: ClaimRecord): Promise<ClaimRecordOutcome> {
    return this.#connections.transaction((run) => claimLocked(run, record));
  }

  async find(accountId: string, packageId: string): Promise<FirmwarePackage | undefined> {
    const wanted = { accountId, packageId };
    const { rows } = await this.#connections.read(packages.FIND_PACKAGE, wanted);
    return rows[0] && packages.toWholePackage(rows[0]);
  }

  async findByName(accountId: string, name: string): Promise<FirmwarePackage | undefined> {
    const wanted = { accountId, name };
    const { rows } = await this.#connections.read(packages.FIND_PACKAGE_BY_NAME, wanted);
    return rows[0] && packages.toWholePackage(rows[0]);
  }

  async list(filter: PackageFilter): Promise<{ total: number; packages: FirmwarePackage[] }> {
    const { count, list } = packages.listPackages(filter);
    const counted = await this.#connections.read(count, filter);
    const { rows } = await this.#connections.read(list, filter);
    return { total: counted.rows[0]?.total ?? 0, packages: rows.map(packages.toWholePackage) };
  }

  async owners(): Promise<PackageOwner[]> {
    return (await this.#connections.read(packages.PACKAGE_OWNERS, {})).rows;
  }

  async modify(
    accountId: string,
    packageId: string,
    change: PackageChange,
  ): Promise<'modified' | 'notFound' | 'nameTaken'> {
    const columns = { ...changeColumns(change), accountId, packageId };
    try {
      const { count } = await this.#connections.change(packages.MODIFY_PACKAGE, columns);
      return count === 1 ? 'modified' : 'notFound';
    } catch (error) {
      if (violatedIndex(error, NAMES) !== undefined) return 'nameTaken';
      throw error;
    }
  }

  async delete(accountId: string, packageId: string, cause: Cause): Promise<boolean> {
    const wanted = { accountId, packageId, ...cause };
    const { rows } = await this.#connections.change(packages.DELETE_PACKAGE, wanted);
    return rows[0]?.gone === 1;
  }

  retire(
    createdBefore: number,
    at: number,
    takenUntil: number,
    limit: number,
  ): Promise<RetiredPackages> {
    return this.#connections.transaction(async (run) => {
      const { rows } = await run(packages.LOCK_OLD_PACKAGES, { createdBefore, limit });
      const packageIds = rows.map(({ id }) => id);
      const bodies = await run(RETIRE, { packageIds, at, takenUntil });
      await run(packages.DELETE_PACKAGES, { packageIds });
      return { packages: rows.map(packages.toWholePackage), bodies: inOrder(bodies.rows) };
    });
  }
}

/** The lock of the account makes its claims wait for each other, so that the checks stay true until the commit. */
async function claimLocked(
  run: RunStatement,
  { locators, maxPackages, package: wanted, requestId, storedAfter }: ClaimRecord,
): Promise<ClaimRecordOutcome> {
  await run(LOCK_ACCOUNT, { accountId: wanted.accountId });
  const row = toPackageRow(wanted);
  const [found] = (await run(packages.CHECK_PACKAGE, row)).rows;
  if (found?.name_taken === true) return { kind: 'nameTaken' };
  if (found?.version_taken === true) return { kind: 'versionTaken' };
  if ((found?.total ?? 0) >= maxPackages) return { kind: 'full' };
  const claimable = { locators, storedAfter };
  const different = new Set(locators).size;
  const { count } = await run(CLAIM, {
    ...claimable,
    wanted: different,
    packageId: wanted.id,
    at: wanted.createdAt,
    requestId: requestId ?? null,
  });
  if (count < different) {
    const { rows } = await run(LIST_CLAIMABLE, claimable);
    const left = new Set(rows.map(({ locator }) => locator));
    return { kind: 'notClaimable', file: locators.findIndex((locator) => !left.has(locator)) };
  }
  await run(packages.ADD_PACKAGE, row);
  await run(packages.ADD_FILES, {
    packageId: wanted.id,
    files: packages.filesJson(wanted.files),
  });
  return { kind: 'claimed' };
}
