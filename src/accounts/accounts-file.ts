import { readFileSync } from 'node:fs';
import type { Node, ParseError } from 'jsonc-parser';
import { findNodeAtLocation, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { z } from 'zod';
import { ConfigError } from '../config/config.ts';
import type { Account } from './accounts.ts';
import { accountsFileSchema } from './accounts.ts';

/**
 * Reads the accounts file.
 * @throws ConfigError when it cannot be read or used; the message gives the line and the reason of every fault
 */
export function readAccountsFile(path: string): readonly Account[] {
  return parseAccounts(readText(path), path);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`the accounts file cannot be read: ${String(error)}`]);
  }
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
  throw refusal(
    path,
    parsed.error.issues.map((issue) => [
      lineAt(text, offsetOf(tree, issue)),
      `${issue.path.join('.')}: ${issue.message}`,
    ]),
  );
}

/** Finds the nearest thing that is there: what is missing has no place of its own. */
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

function refusal(
  path: string,
  faults: readonly (readonly [line: number, reason: string])[],
): ConfigError {
  return new ConfigError(faults.map(([line, reason]) => `${path}:${line}: ${reason}`));
}
