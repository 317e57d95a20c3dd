import type { Account } from '../accounts/accounts.ts';
import { readCredentials } from '../accounts/credentials-file.ts';
import { SIMPLE_ACCOUNT } from '../accounts/keys.ts';
import type { Config } from '../config/config.ts';
import { countAll } from '../data-folder/inspect.ts';
import type { FolderAccountsShape } from '../operator/account-shapes.ts';
import { listAccounts } from '../operator/accounts.ts';
import { openAccounts } from './accounts-file.ts';
import { formatSize } from './people.ts';

/** @returns the accounts of the settings, with what they use according to the ledger */
export async function readAccounts(config: Config, now: number): Promise<FolderAccountsShape> {
  const accounts =
    config.accountsFile === undefined ? soleAccount(config) : openAccounts(config).accounts;
  const totals = await countAll(config);
  return listAccounts({ accounts, config, now, usedBy: (id) => totals?.usedBy(id) });
}

/** @throws when the data folder has no generated keys, and the settings have none */
function soleAccount({ accessKeyId, dataDir }: Config): readonly Account[] {
  const id = accessKeyId ?? readCredentials(dataDir).account.id;
  return [{ id: SIMPLE_ACCOUNT, operator: true, accessKeys: [{ id, secret: '' }] }];
}

const HEAD = ['ACCOUNT', 'ACCESS KEY', 'STATE', 'UPLOADS', 'BYTES', 'RUNNING', 'FORMS/S'];

/** @returns a table with a line for each access key, and one for the bucket if it has limits */
export function formatAccounts({ bucket, items }: FolderAccountsShape): string {
  const rows = items.flatMap((account) =>
    account.accessKeys.map((key) => [
      account.operator ? `${account.id} (operator)` : account.id,
      key.id,
      key.state === 'ending' ? `until ${key.disabledFrom ?? ''}` : key.state,
      ...shares(account),
    ]),
  );
  const isLimited = Object.values(bucket.limits).some((limit) => limit !== 'off');
  if (isLimited) rows.push(['(all together)', '-', '-', ...shares(bucket)]);
  const table = [HEAD, ...rows];
  const widths = HEAD.map((_, column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  );
  return table
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function shares({ limits, used }: FolderAccountsShape['bucket']): string[] {
  return [
    share(used?.uploads, limits.maxUploads, String),
    share(used?.bytes, limits.maxBytes, formatSize),
    share(undefined, limits.maxConcurrent, String),
    share(undefined, limits.maxRate, String),
  ];
}

/** @returns use and limit, of which each may be unknown or absent */
function share(
  used: number | undefined,
  limit: number | 'off',
  format: (value: number) => string,
): string {
  const most = limit === 'off' ? undefined : format(limit);
  if (used === undefined) return most === undefined ? '-' : `at most ${most}`;
  return most === undefined ? format(used) : `${format(used)} of ${most}`;
}
