import { existsSync } from 'node:fs';
import type { AccessKey, Account } from '../accounts/accounts.ts';
import { parseAccounts } from '../accounts/accounts-file.ts';
import { credentialsPath } from '../accounts/credentials-file.ts';
import type { Config } from '../config/config.ts';
import { readSettingFile } from '../config/files.ts';
import { quoted } from '../lib/quoted.ts';
import { replaceFile } from '../lib/replace-file.ts';
import { CommandError } from './command-error.ts';
import { givenName, variableName } from './names.ts';
import { systemFailureOf } from '../lib/system-failure.ts';

/** The accounts file of the settings, to change it. */
export interface EditableAccounts {
  readonly path: string;
  /** Undefined when the file does not exist yet. */
  readonly text: string | undefined;
  readonly accounts: readonly Account[];
}

/** Opens the accounts file. @throws CommandError when there is none; SettingsError when it is invalid or unreadable */
export function openAccounts(config: Config): EditableAccounts {
  const path = config.accountsFile;
  if (path === undefined) throw withoutFile(config);
  if (existsSync(path)) {
    const text = readSettingFile('accountsFile', path, 'a JSON file with accounts');
    return { path, text, accounts: parseAccounts(text, path) };
  }
  return { path, text: undefined, accounts: [] };
}

/** Says where the access keys are, and how to come to an accounts file. */
function withoutFile({ accessKeyId, dataDir }: Config): CommandError {
  const place =
    accessKeyId === undefined
      ? `its access key is in ${credentialsPath(dataDir)}`
      : `its access key is ${givenName('accessKeyId')}`;
  return new CommandError(
    'NoAccountsFile',
    `there is no accounts file, so there is one account with the id "default"; ${place}`,
    'To have several accounts or keys: write ' +
      '{"accounts":[{"id":"default","operator":true,"accessKeys":[{"id":"...","secret":"..."}]}]} with that ' +
      `key to a file that only its owner can read, set ${variableName('accountsFile')} to its path instead of an ` +
      'access key, and start the gateway again',
  );
}

/** Checks the new text, and replaces the file. @throws SettingsError when the text would not be valid */
export function writeAccounts({ path, text }: EditableAccounts, changed: string): void {
  parseAccounts(changed, path);
  changeFile(path, () => {
    replaceFile(path, text, changed);
  });
}

/** Changes a file as a whole. @throws CommandError that names the file and says that nothing was changed */
export function changeFile<T>(path: string, change: () => T): T {
  try {
    return change();
  } catch (error) {
    // The path of the error is that of an unfinished file.
    const failure =
      typeof error === 'object' && error !== null ? systemFailureOf({ ...error, path }) : undefined;
    if (failure === undefined) throw error;
    const hint = `${failure.hint}; its folder must exist, and this user must be able to write it. Nothing was changed`;
    throw new CommandError('UnwritableFile', failure.problem, hint, { cause: error });
  }
}

/** An access key with the account that has it. */
export interface OwnedKey {
  readonly account: Account;
  readonly accessKey: AccessKey;
}

/** @throws when no account has the access key; the message names those that exist */
export function requireAccessKey(accounts: readonly Account[], id: string): OwnedKey {
  const found = findAccessKey(accounts, id);
  if (found !== undefined) return found;
  const known = accounts.flatMap(({ accessKeys }) => accessKeys.map((key) => key.id));
  const message = `there is no access key ${quoted(id)}; there are ${listed(known)}`;
  throw new CommandError('NotFound', message, LIST);
}

/**
 * Finds access keys by the id of one, or by the id of an account, which means all of its keys.
 * @throws when there is neither; the message names those that exist
 */
export function requireTarget(
  accounts: readonly Account[],
  id: string,
): { readonly account: Account; readonly accessKeys: readonly AccessKey[] } {
  const key = findAccessKey(accounts, id);
  if (key !== undefined) return { account: key.account, accessKeys: [key.accessKey] };
  const account = accounts.find((each) => each.id === id);
  if (account !== undefined) return { account, accessKeys: account.accessKeys };
  const known = accounts.flatMap((each) => [each.id, ...each.accessKeys.map((one) => one.id)]);
  const message = `there is no account and no access key ${quoted(id)}; there are ${listed(known)}`;
  throw new CommandError('NotFound', message, LIST);
}

function findAccessKey(accounts: readonly Account[], id: string): OwnedKey | undefined {
  for (const account of accounts) {
    const accessKey = account.accessKeys.find((each) => each.id === id);
    if (accessKey !== undefined) return { account, accessKey };
  }
  return undefined;
}

const SHOWN = 10;
const LIST = '`ota-gateway accounts ls` lists them';

function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(', ');
  return names.length > SHOWN ? `${shown} and ${String(names.length - SHOWN)} more` : shown;
}
