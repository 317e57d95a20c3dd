import { quoted } from '../lib/quoted.ts';

/** What a query for contradictions finds. */
export interface ContradictionRow {
  readonly key: string | null;
  readonly package_id: string | null;
}

interface Contradiction {
  /** SQL that all databases understand. */
  readonly sql: string;
  /** Describes a row by its key and the id of its package. */
  readonly describe: (key: string, id: string) => string;
}

/** Queries that find where a ledger contradicts itself. */
export const CONTRADICTIONS: readonly Contradiction[] = [
  {
    sql: `SELECT key, package_id FROM uploads WHERE state = 'claimed'
      AND NOT EXISTS (SELECT 1 FROM firmware_packages WHERE id = package_id)`,
    describe: (key, id) =>
      `the upload ${key} is claimed by the package ${id}, which does not exist`,
  },
  {
    sql: `SELECT key, package_id FROM package_files WHERE NOT EXISTS (
      SELECT 1 FROM uploads WHERE uploads.key = package_files.key
        AND uploads.state = 'claimed' AND uploads.package_id = package_files.package_id)`,
    describe: (key, id) => `the package ${id} has the file ${key}, whose upload it has not claimed`,
  },
  {
    sql: `SELECT key, package_id FROM package_files
      WHERE NOT EXISTS (SELECT 1 FROM firmware_packages WHERE id = package_id)`,
    describe: (_, id) => `the package ${id} does not exist, but has files`,
  },
];

/** @returns one line for each row */
export function describeContradictions(
  { describe }: Contradiction,
  rows: readonly ContradictionRow[],
): readonly string[] {
  return rows.map(({ key, package_id: id }) => describe(quoted(String(key)), quoted(String(id))));
}
