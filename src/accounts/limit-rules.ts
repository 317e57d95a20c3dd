import type { Config } from '../config/config.ts';
import type { AccountDirectory, AccountLimits } from './accounts.ts';

/** The limits of the bucket, and of each account. */
export interface ConfiguredLimits {
  readonly bucket: AccountLimits;
  readonly of: (accountId: string) => AccountLimits;
}

const NAMES = ['maxBytes', 'maxUploads', 'maxConcurrent', 'maxRate'] as const;

/** @returns the limits of the settings and of the accounts; undefined when there are none */
export function limitRules(
  config: Config,
  accounts: AccountDirectory,
): ConfiguredLimits | undefined {
  const bucket = {
    maxBytes: config.maxBucketBytes,
    maxUploads: config.maxBucketUploads,
    maxConcurrent: config.maxBucketConcurrent,
    maxRate: config.maxBucketRate,
  };
  const defaults = {
    maxBytes: config.maxAccountBytes,
    maxUploads: config.maxAccountUploads,
    maxConcurrent: config.maxAccountConcurrent,
    maxRate: config.maxAccountRate,
  };
  const of = (accountId: string): AccountLimits => {
    const account = accounts.account(accountId);
    if (account === undefined) return defaults;
    return {
      maxBytes: account.maxBytes ?? defaults.maxBytes,
      maxUploads: account.maxUploads ?? defaults.maxUploads,
      maxConcurrent: account.maxConcurrent ?? defaults.maxConcurrent,
      maxRate: account.maxRate ?? defaults.maxRate,
    };
  };
  const all = [bucket, defaults, ...accounts.all];
  return all.some(hasLimit) ? { bucket, of } : undefined;
}

function hasLimit(limits: AccountLimits): boolean {
  return NAMES.some((name) => limits[name] !== undefined && limits[name] !== 'off');
}
