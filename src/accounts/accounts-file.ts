import type { Node, ParseError } from 'jsonc-parser';
import { findNodeAtLocation, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { z } from 'zod';
import { readSettingFile } from '../config/files.ts';
import { SettingsError } from '../config/settings-error.ts';
import type { Account } from './accounts.ts';
import { accountsFileSchema } from './accounts-schema.ts';

/**
 * Reads the accounts file.
 * @throws SettingsError when it cannot be read or is not valid; the message has line and reason of every problem
 */
export function readAccountsFile(path: string): readonly Account[] {
  return parseAccounts(readSettingFile('accountsFile', path, 'a JSON file with accounts'), path);
}

/** Parses the text of an accounts file, see {@link readAccountsFile}. @param path - for the messages */
export function parseAccounts(text: string, path: string): readonly Account[] {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: false, disallowComments: true });
  if (tree === undefined || errors.length > 0) {
    // The first problem is often the cause of all others.
    throw createError(
      path,
      errors.slice(0, 1).map(({ error, offset }) => [lineAt(text, offset), notJson(error)]),
    );
  }
  const parsed = accountsFileSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data.accounts;
  throw createError(
    path,
    parsed.error.issues.map((issue) => [
      lineAt(text, offsetOf(tree, issue)),
      `${issue.path.join('.')}: ${issue.message}`,
    ]),
  );
}

function notJson(error: ParseError['error']): string {
  const found = printParseErrorCode(error).replace(
    /[A-Z]/g,
    (letter) => ` ${letter.toLowerCase()}`,
  );
  const expected = '{"accounts":[{"id":"...","accessKeys":[{"id":"...","secret":"..."}]}]}';
  return `this is not JSON:${found}. Expected ${expected}, without comments`;
}

/** @returns the offset of an issue; for a missing member, that of the nearest parent that exists */
function offsetOf(tree: Node, issue: z.core.$ZodIssue): number {
  const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
  const path = [...issue.path, ...keys].map((step) => (typeof step === 'symbol' ? '' : step));
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = findNodeAtLocation(tree, path.slice(0, depth));
    if (node !== undefined) return node.offset;
  }
  return 0;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function createError(
  path: string,
  problems: readonly (readonly [line: number, reason: string])[],
): SettingsError {
  return new SettingsError(
    problems.map(([line, reason]) => ({
      settings: ['accountsFile'],
      text: `${path}:${String(line)}: ${reason}`,
    })),
  );
}
