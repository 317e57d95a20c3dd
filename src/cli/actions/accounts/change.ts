import { createInterface } from 'node:readline/promises';
import { z } from 'zod';
import {
  disableAccessKey,
  enableAccessKey,
  removeAccessKey,
  removeAccount,
} from '../../../accounts/edit-accounts.ts';
import type { Config } from '../../../config/config.ts';
import type { ChangedAccountShape } from '../../../operator/account-shapes.ts';
import type { EditableAccounts } from '../../accounts-file.ts';
import { openAccounts, requireTarget, writeAccounts } from '../../accounts-file.ts';
import { CommandError, UsageError } from '../../command-error.ts';
import { jsonFlag, say } from '../../output.ts';
import { parseFlags } from '../../parse-flags.ts';
import { reloadGateway } from '../../reload-gateway.ts';
import { configOf, note, printChange } from './report.ts';

/** Disables or enables an access key, or all keys of an account. */
export async function setDisabled(id: string, disabled: boolean, flags: unknown): Promise<void> {
  const { json, ...settings } = parseFlags(jsonFlag.loose(), flags);
  const config = configOf(settings);
  const file = openAccounts(config);
  const { accessKeys, account } = requireTarget(file.accounts, id);
  const ids = accessKeys.map((key) => key.id);
  const change = disabled ? disableAccessKey : enableAccessKey;
  const changed = ids.reduce((text, id) => change(text, id), file.text ?? '');
  const what = disabled ? 'disabled' : 'enabled';
  await applyChange(config, file, changed, { account: account.id, ids, what, json });
}

const removeFlags = z.looseObject({ ...jsonFlag.shape, yes: z.boolean().default(false) });

/** Removes an access key, or an account. Asks first on a terminal. */
export async function remove(id: string, flags: unknown): Promise<void> {
  const { json, yes, ...settings } = parseFlags(removeFlags, flags);
  const config = configOf(settings);
  const file = openAccounts(config);
  const { text = '' } = file;
  const { accessKeys, account } = requireTarget(file.accounts, id);
  const isKey = accessKeys.some((key) => key.id === id);
  if (isKey && account.accessKeys.length === 1) {
    throw new CommandError(
      'OnlyAccessKey',
      `${id} is the only access key of the account ${account.id}`,
      `Disable it, or remove the account: ota-gateway accounts rm ${account.id}`,
    );
  }
  if (!isKey && file.accounts.length === 1) {
    throw new CommandError(
      'OnlyAccount',
      `${id} is the only account of ${file.path}`,
      'Add another one before: ota-gateway accounts add ACCOUNT',
    );
  }
  const what = isKey ? `access key ${id} of account ${account.id}` : `account ${id}`;
  if (!yes && !(await confirm(`Remove the ${what}?`))) {
    say('nothing was removed');
    return;
  }
  const changed = isKey ? removeAccessKey(text, id) : removeAccount(text, id);
  const ids = accessKeys.map((key) => key.id);
  await applyChange(config, file, changed, { account: account.id, ids, what: 'removed', json });
}

/** @throws UsageError when there is no terminal to ask on */
async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    const message = '--yes: there is no terminal to ask on';
    throw new UsageError(message, 'Give --yes to remove without asking');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

interface Change {
  readonly account: string;
  readonly ids: readonly string[];
  readonly what: string;
  readonly json: boolean;
}

async function applyChange(
  config: Config,
  file: EditableAccounts,
  changed: string,
  { account, ids, json, what }: Change,
): Promise<void> {
  writeAccounts(file, changed);
  const reload = await reloadGateway(config, file.accounts);
  const shape: ChangedAccountShape = { account, accessKeyIds: [...ids], reload: reload.outcome };
  printChange(json, shape, [`${what} ${ids.join(', ')} of account ${account}`]);
  note(json, reload, []);
}
