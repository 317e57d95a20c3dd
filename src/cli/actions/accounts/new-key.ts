import type { NewAccessKey } from '../../../accounts/edit-accounts.ts';
import type { Config } from '../../../config/config.ts';
import type { NewAccessKeyShape } from '../../../operator/account-shapes.ts';
import type { EditableAccounts } from '../../accounts-file.ts';
import { writeAccounts } from '../../accounts-file.ts';
import { reloadGateway } from '../../reload-gateway.ts';
import { note, printChange } from './report.ts';

/** A generated access key of an account. */
export interface NewKey {
  readonly account: string;
  readonly key: NewAccessKey;
  readonly json: boolean;
  readonly previous?: NewAccessKeyShape['previous'];
}

/** Writes the file, and shows the secret of a new access key, which is not shown again. */
export async function showNewKey(
  config: Config,
  file: EditableAccounts,
  changed: string,
  { account, json, key, previous }: NewKey,
): Promise<void> {
  writeAccounts(file, changed);
  const reload = await reloadGateway(config, file.accounts);
  const shape: NewAccessKeyShape = {
    ...{ account, accessKeyId: key.id, accessKeySecret: key.secret },
    ...(previous && { previous }),
    reload: reload.outcome,
  };
  const lines = [
    `Account          ${account}`,
    `AccessKeyId      ${key.id}`,
    `AccessKeySecret  ${key.secret}`,
  ];
  printChange(json, shape, lines);
  const notes = ['The secret is not shown again.'];
  if (previous !== undefined) {
    notes.push(`The old key ${previous.accessKeyId} works until ${previous.disabledFrom}.`);
  }
  note(json, reload, notes);
}
