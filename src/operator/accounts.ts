import type { AccessKey, Account } from '../accounts/accounts.ts';
import { isDisabled, isOperatorAmong } from '../accounts/accounts.ts';
import { accountLimits, bucketLimits } from '../accounts/limit-rules.ts';
import type { Config } from '../config/config.ts';
import type { AccessKeyShape, AccountListShape, AccountShape } from './account-shapes.ts';
import { iso } from './show.ts';

/** What a list of accounts is made of. */
export interface ListedAccounts<U> {
  readonly accounts: readonly Account[];
  readonly config: Config;
  /** By the clock of the gateway, in Unix milliseconds. */
  readonly now: number;
  /** @returns what an account uses, or without one all together */
  readonly usedBy: (accountId?: string) => U;
}

/** An account or the bucket, with what it uses in the form of `U`. */
type Using<U, Shape extends { used: unknown }> = Omit<Shape, 'used'> & { used: U };

/** @returns all accounts, without secrets, with their limits and what they use of them */
export function listAccounts<U>({ accounts, config, now, usedBy }: ListedAccounts<U>): {
  items: Using<U, AccountShape>[];
  bucket: Using<U, AccountListShape['bucket']>;
} {
  return {
    items: accounts.map((account) => ({
      ...describeAccount(account, now),
      operator: isOperatorAmong(accounts, account),
      limits: accountLimits(config, account),
      used: usedBy(account.id),
    })),
    bucket: { limits: bucketLimits(config), used: usedBy() },
  };
}

function describeAccount(
  { accessKeys, id, instances, products }: Account,
  now: number,
): Omit<AccountShape, 'operator' | 'limits' | 'used'> {
  return {
    id,
    accessKeys: accessKeys.map((key) => describeKey(key, now)),
    ...(instances && { instances: [...instances] }),
    ...(products && { products: [...products] }),
  };
}

function describeKey(key: AccessKey, now: number): AccessKeyShape {
  const { disabledFrom, expiresAt, id } = key;
  return {
    id,
    state: stateOf(key, now),
    ...(disabledFrom !== undefined && { disabledFrom: iso(disabledFrom) }),
    ...(expiresAt !== undefined && { expiresAt: iso(expiresAt) }),
  };
}

function stateOf(key: AccessKey, now: number): AccessKeyShape['state'] {
  if (isDisabled(key, now)) return 'disabled';
  if (key.expiresAt !== undefined && now >= key.expiresAt) return 'expired';
  if (key.securityToken !== undefined) return 'temporary';
  return key.disabledFrom === undefined ? 'active' : 'ending';
}
