import type { Config } from '../config/config.ts';
import type { AccountDirectory, AccountLimits } from './accounts.ts';

/** Limits with the defaults of the settings. */
type AppliedLimits = Readonly<Record<keyof AccountLimits, number | 'off'>>;

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
  const bucket = bucketLimits(config);
  const defaults = accountLimits(config, {});
  const all = [bucket, defaults, ...accounts.all];
  if (!all.some(hasLimit)) return undefined;
  return { bucket, of: (accountId) => accountLimits(config, accounts.account(accountId) ?? {}) };
}

/** @returns the limits of all accounts together */
export function bucketLimits(config: Config): AppliedLimits {
  return {
    maxBytes: config.maxBucketBytes,
    maxUploads: config.maxBucketUploads,
    maxConcurrent: config.maxBucketConcurrent,
    maxRate: config.maxBucketRate,
  };
}

/** @returns the limits of an account: its own, else those of the settings */
export function accountLimits(config: Config, own: AccountLimits): AppliedLimits {
  return {
    maxBytes: own.maxBytes ?? config.maxAccountBytes,
    maxUploads: own.maxUploads ?? config.maxAccountUploads,
    maxConcurrent: own.maxConcurrent ?? config.maxAccountConcurrent,
    maxRate: own.maxRate ?? config.maxAccountRate,
  };
}

function hasLimit(limits: AccountLimits): boolean {
  return NAMES.some((name) => limits[name] !== undefined && limits[name] !== 'off');
}
