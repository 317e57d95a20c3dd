import { z } from 'zod';
import type { CopiedTable } from './tables.ts';
import { COPIED_TABLES } from './tables.ts';

/** Rows as a database returns them. */
export const copiedRows = z.array(
  z.record(z.string(), z.union([z.string(), z.number(), z.null()])).readonly(),
);
export type CopiedRow = z.output<typeof copiedRows>[number];

/** A database whose rows are copied. */
export interface RowSource {
  /** @returns the first `limit` rows after one, in the order of the key; absent: the first rows of all */
  readRows(
    table: CopiedTable,
    after: CopiedRow | undefined,
    limit: number,
  ): Promise<readonly CopiedRow[]>;
}

/** A database that rows are copied into. */
export interface RowTarget {
  /** Adds rows. @throws when it has one with the same key */
  addRows(table: CopiedTable, rows: readonly CopiedRow[]): Promise<void>;
}

/** A refusal may have 24 KiB, so a page has less than 5 MiB. */
const PAGE = 200;

/** Copies all tables, in pages. @returns how many rows they have together */
export async function copyTables(
  source: RowSource,
  target: RowTarget,
  signal?: AbortSignal,
): Promise<number> {
  let count = 0;
  for (const table of COPIED_TABLES) {
    let page: readonly CopiedRow[] = [];
    do {
      signal?.throwIfAborted();
      page = await source.readRows(table, page.at(-1), PAGE);
      if (page.length > 0) await target.addRows(table, page);
      count += page.length;
    } while (page.length === PAGE);
  }
  return count;
}

/** @returns SQL that reads a page: its parameters are the key of the row before, if there is one, and the limit */
export function selectPage(
  { columns, key, name }: CopiedTable,
  isFirst: boolean,
  parameter: (number: number) => string,
): string {
  const keys = key.join(', ');
  const last = key.map((_, index) => parameter(index + 1)).join(', ');
  const condition = isFirst ? '' : ` WHERE (${keys}) > (${last})`;
  const limit = parameter(isFirst ? 1 : key.length + 1);
  return `SELECT ${columns.join(', ')} FROM ${name}${condition} ORDER BY ${keys} LIMIT ${limit}`;
}

/** @returns the parameters of `selectPage` */
export function pageParameters(
  { key }: CopiedTable,
  after: CopiedRow | undefined,
  limit: number,
): unknown[] {
  return [...(after === undefined ? [] : key.map((column) => after[column])), limit];
}
