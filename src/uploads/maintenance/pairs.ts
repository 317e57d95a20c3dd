import type { ExpectedBody } from '../ports.ts';
import type { FoundFile } from './ports.ts';

/** What the ledger expects, what a store has, or both when they have the same locator. */
export type Pair =
  | { readonly row: ExpectedBody; readonly file?: FoundFile }
  | { readonly row?: undefined; readonly file: FoundFile };

/** Finds the pairs of two lists. */
export type FindPairs = (
  rows: AsyncIterable<ExpectedBody>,
  files: AsyncIterable<FoundFile>,
) => AsyncGenerator<Pair, void, undefined>;

/** For files without an order: what belongs to each entry has to be looked up. */
export const withoutPairing: FindPairs = async function* (rows, files) {
  for await (const row of rows) yield { row };
  for await (const file of files) yield { file };
};

/** Reads two lists side by side that are both sorted by locator. Entries that cannot be bodies come at any place. */
export const mergeByLocator: FindPairs = async function* (rows, files) {
  const reader = files[Symbol.asyncIterator]();
  const next = async (): Promise<FoundFile | undefined> => {
    const result = await reader.next();
    return result.done === true ? undefined : result.value;
  };
  let file = await next();
  for await (const row of rows) {
    while (file !== undefined && (file.locator ?? '') < row.locator) {
      yield { file };
      file = await next();
    }
    if (file?.locator === row.locator) {
      yield { row, file };
      file = await next();
    } else {
      yield { row };
    }
  }
  for (; file !== undefined; file = await next()) yield { file };
};
