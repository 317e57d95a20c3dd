import type { AccessKey, Account } from '../accounts/accounts.ts';
import { isDisabled } from '../accounts/accounts.ts';
import { readCredentials } from '../accounts/credentials-file.ts';
import { SIMPLE_ACCOUNT } from '../accounts/keys.ts';
import { accountLimits, bucketLimits } from '../accounts/limit-rules.ts';
import type { Config } from '../config/config.ts';
import { countAll } from '../data-folder.ts';
import type { LedgerTotals } from '../data-folder.ts';
import type { AccessKeyShape, AccountListShape, AccountShape } from '../operator/account-shapes.ts';
import { openAccounts } from './accounts-file.ts';
import { formatSize } from './people.ts';

/** @returns the accounts of the settings, with what they use according to the ledger of the data folder */
export async function listAccounts(config: Config, now: number): Promise<AccountListShape> {
  const accounts =
    config.accountsFile === undefined ? soleAccount(config) : openAccounts(config).accounts;
  const totals = await countAll(config.dataDir);
  return {
    accounts: accounts.map((account) => describe(account, { config, now, totals })),
    bucket: { limits: bucketLimits(config), ...(totals && { usage: totals.used }) },
  };
}

/** @throws when the data folder has no generated keys, and the settings have none */
function soleAccount({ accessKeyId, dataDir }: Config): readonly Account[] {
  const id = accessKeyId ?? readCredentials(dataDir).account.id;
  return [{ id: SIMPLE_ACCOUNT, operator: true, accessKeys: [{ id, secret: '' }] }];
}

interface Context {
  readonly config: Config;
  readonly now: number;
  readonly totals: LedgerTotals | undefined;
}

function describe(account: Account, { config, now, totals }: Context): AccountShape {
  const { accessKeys, id, instances, operator = false, products } = account;
  return {
    id,
    operator,
    accessKeys: accessKeys.map((key) => describeKey(key, now)),
    ...(instances && { instances: [...instances] }),
    ...(products && { products: [...products] }),
    limits: accountLimits(config, account),
    ...(totals && { usage: totals.of(id).used }),
  };
}

function describeKey(key: AccessKey, now: number): AccessKeyShape {
  const { disabledFrom, expiresAt, id } = key;
  return {
    id,
    state: stateOf(key, now),
    ...(disabledFrom !== undefined && { disabledFrom: new Date(disabledFrom).toISOString() }),
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
  };
}

function stateOf(key: AccessKey, now: number): AccessKeyShape['state'] {
  if (isDisabled(key, now)) return 'disabled';
  if (key.expiresAt !== undefined && now >= key.expiresAt) return 'expired';
  if (key.securityToken !== undefined) return 'temporary';
  return key.disabledFrom === undefined ? 'active' : 'ending';
}

const HEAD = ['ACCOUNT', 'ACCESS KEY', 'STATE', 'UPLOADS', 'BYTES', 'RUNNING', 'FORMS/S'];

/** @returns a table with a line for each access key, and one for the bucket if it has limits */
export function formatAccounts({ accounts, bucket }: AccountListShape): string {
  const rows = accounts.flatMap((account) =>
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

function shares({ limits, usage }: Pick<AccountShape, 'limits' | 'usage'>): string[] {
  return [
    share(usage?.uploads, limits.maxUploads, String),
    share(usage?.bytes, limits.maxBytes, formatSize),
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
