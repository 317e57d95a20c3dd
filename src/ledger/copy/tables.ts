import { UPLOAD_COLUMNS } from '../rows.ts';
import { SAMPLE_COLUMNS } from '../usage-rows.ts';

/** A table that goes along when a ledger is copied into a database of another kind. */
export interface CopiedTable {
  readonly name: string;
  /** Its primary key, in whose order it is read. */
  readonly key: readonly string[];
  readonly columns: readonly string[];
  /** Its rows are numbered by the database. They keep their numbers, and new ones get higher numbers. */
  readonly isNumbered: boolean;
}

/**
 * The tables, each after those that it refers to. Not among them is what holds for one installation only: `totals` are
 * counted anew, `quota` is of the last second, `taken_until` of a minute, `agreements` and `jobs` are of one cluster.
 */
export const COPIED_TABLES: readonly CopiedTable[] = [
  { name: 'uploads', key: ['sequence'], columns: UPLOAD_COLUMNS.split(', '), isNumbered: true },
  {
    name: 'firmware_packages',
    key: ['sequence'],
    columns: [
      ...['sequence', 'id', 'account_id', 'instance_id', 'name', 'description', 'dest_version'],
      ...['src_version', 'differential', 'module_name', 'product_key', 'sign_method', 'udi'],
      ...['status', 'verify_progress', 'created_at', 'modified_at'],
    ],
    isNumbered: true,
  },
  {
    name: 'package_files',
    key: ['package_id', 'place'],
    columns: ['package_id', 'place', 'name', 'key', 'size', 'sign', 'md5'],
    isNumbered: false,
  },
  {
    name: 'nonces',
    key: ['access_key_id', 'nonce'],
    columns: ['access_key_id', 'nonce', 'expires_at'],
    isNumbered: false,
  },
  {
    name: 'refusals',
    key: ['sequence'],
    columns: [
      ...['sequence', 'request_id', 'at', 'reason', 'code', 'operation', 'account_id', 'peer'],
      ...['object_key', 'repeats', 'signature', 'record'],
    ],
    isNumbered: true,
  },
  {
    name: 'refused_requests',
    key: ['request_id'],
    columns: ['request_id', 'sequence'],
    isNumbered: false,
  },
  { name: 'usage_samples', key: ['slot'], columns: SAMPLE_COLUMNS, isNumbered: false },
];
