import type { PackageChange, PackageFilter } from '../uploads/ports.ts';

/* SQL that all databases understand, with named parameters. */

export const INSERT_PACKAGE = `INSERT INTO firmware_packages (id, account_id, instance_id, name, description, dest_version,
         src_version, differential, module_name, product_key, sign_method, udi, status,
         verify_progress, created_at, modified_at)
       VALUES (:id, :account_id, :instance_id, :name, :description, :dest_version,
         :src_version, :differential, :module_name, :product_key, :sign_method, :udi, :status,
         :verify_progress, :created_at, :modified_at)`;

/** An absent member is not changed. */
export const CHANGE_PACKAGE = `name = coalesce(:name, name),
         description = coalesce(:description, description), udi = coalesce(:udi, udi),
         status = coalesce(:status, status),
         verify_progress = coalesce(:verifyProgress, verify_progress), modified_at = :modifiedAt`;

export interface ChangeColumns {
  readonly name: string | null;
  readonly description: string | null;
  readonly udi: string | null;
  readonly status: number | null;
  readonly verifyProgress: number | null;
  readonly modifiedAt: number;
}

export function changeColumns(change: PackageChange): ChangeColumns {
  return {
    name: change.name ?? null,
    description: change.description ?? null,
    udi: change.udi ?? null,
    status: change.status ?? null,
    verifyProgress: change.verifyProgress ?? null,
    modifiedAt: change.modifiedAt,
  };
}

/** Has only the conditions of the filter: no index is used for a condition that is optional in the SQL. */
export function packageCondition({ instanceId, productKey, destVersion }: PackageFilter): string {
  return [
    'account_id = :accountId',
    ...(instanceId === undefined ? [] : ['instance_id = :instanceId']),
    ...(productKey === undefined ? [] : ['product_key = :productKey']),
    ...(destVersion === undefined ? [] : ['dest_version = :destVersion']),
  ].join(' AND ');
}
