import { readFileSync } from 'node:fs';
import type { ParseError } from 'jsonc-parser';
import { findNodeAtLocation, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { z } from 'zod';
import type { Account } from './iot/accounts.ts';
import { accountsFileSchema } from './iot/accounts.ts';

/**
 * Reads the accounts file.
 * @throws when it cannot be read or used; the message gives the line and the reason of every fault
 */
export function readAccountsFile(path: string): readonly Account[] {
  return parseAccounts(readFileSync(path, 'utf8'), path);
}

/** As {@link readAccountsFile}, for text. @param path - for the messages */
export function parseAccounts(text: string, path: string): readonly Account[] {
  const faults: ParseError[] = [];
  const tree = parseTree(text, faults, { allowTrailingComma: false, disallowComments: true });
  if (tree === undefined || faults.length > 0) {
    throw refusal(
      path,
      faults.map(({ error, offset }) => [lineAt(text, offset), printParseErrorCode(error)]),
    );
  }
  const parsed = accountsFileSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data.accounts;
  const lineOf = (issue: z.core.$ZodIssue): number => {
    // The nearest thing that is there: what is missing has no place of its own.
    for (let depth = issue.path.length; depth > 0; depth -= 1) {
      const place = issue.path
        .slice(0, depth)
        .map((step) => (typeof step === 'symbol' ? '' : step));
      const node = findNodeAtLocation(tree, place);
      if (node !== undefined) return lineAt(text, node.offset);
    }
    return 1;
  };
  throw refusal(
    path,
    parsed.error.issues.map((issue) => [
      lineOf(issue),
      `${issue.path.join('.')}: ${issue.message}`,
    ]),
  );
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function refusal(
  path: string,
  faults: readonly (readonly [line: number, reason: string])[],
): Error {
  const lines = faults.map(([line, reason]) => `${path}:${line}: ${reason}`);
  return new Error(lines.join('\n'));
}
