import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from '../../src/accounts/accounts.ts';
import type { BuiltGateway } from './built-gateway.ts';
import { startBuiltGateway } from './built-gateway.ts';

/** The JSON text of an accounts file. */
export function accountsText(accounts: readonly Account[]): string {
  const asWritten = accounts.map((account) => ({
    ...account,
    accessKeys: account.accessKeys.map(({ expiresAt, ...key }) => ({
      ...key,
      ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
    })),
  }));
  return JSON.stringify({ accounts: asWritten }, undefined, 2);
}

/** Starts the built program with an accounts file, `accounts.json` in the folder. */
export async function startWithAccounts(
  folder: string,
  accounts: readonly Account[],
  environment: Readonly<Record<string, string>> = {},
): Promise<BuiltGateway> {
  const file = join(folder, 'accounts.json');
  await writeFile(file, accountsText(accounts));
  return startBuiltGateway(join(folder, 'data'), {
    OTA_GATEWAY_ACCESS_KEY_ID: '',
    OTA_GATEWAY_ACCESS_KEY_SECRET: '',
    OTA_GATEWAY_ACCOUNTS_FILE: file,
    ...environment,
  });
}
