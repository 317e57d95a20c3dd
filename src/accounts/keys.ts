import type { Config } from '../config/config.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import { createBucketKey } from '../signatures/bucket-key.ts';
import type { Account } from './accounts.ts';
import { AccountDirectory } from './accounts.ts';
import { readAccountsFile } from './accounts-file.ts';
import type { Credentials } from './credentials-file.ts';
import { credentialsPath, loadOrCreateCredentials } from './credentials-file.ts';

/** Two kinds of credential, never mixed: accounts sign API calls, the bucket key signs policies and downloads. */
export interface Keys {
  readonly accounts: AccountDirectory;
  readonly bucketKey: BucketKey;
  /** Where keys that nobody has configured are kept; undefined when there are none. */
  readonly credentialsFile: string | undefined;
}

/** Id of the one account of a simple installation; object keys are derived from it, so it never changes. */
const SIMPLE_ACCOUNT = 'default';

/**
 * Finds the keys: given ones first, then those of the accounts file, then the ones that the data folder keeps.
 * @throws when a file cannot be used
 */
export function resolveKeys(config: Config, given: readonly Account[] | undefined): Keys {
  const { dataDir } = config;
  const account = pair(config.accessKeyId, config.accessKeySecret);
  const accounts = given ?? readConfigured(config) ?? (account && [simple(account)]);
  return {
    accounts: new AccountDirectory(accounts ?? [simple(loadOrCreateCredentials(dataDir).account)]),
    bucketKey: resolveBucketKey(config, loadOrCreateCredentials),
    credentialsFile:
      config.ossAccessKeyId !== undefined && accounts ? undefined : credentialsPath(dataDir),
  };
}

/** @param credentialsOf - gives what a data folder keeps, when the settings have no bucket key */
export function resolveBucketKey(
  config: Config,
  credentialsOf: (dataDir: string) => Credentials,
): BucketKey {
  const given = pair(config.ossAccessKeyId, config.ossAccessKeySecret);
  const { id, secret } = given ?? credentialsOf(config.dataDir).bucket;
  return createBucketKey(id, secret);
}

/** Reads the accounts file again. @throws when it cannot be used; the old accounts stay */
export function reloadAccounts(config: Config, { accounts }: Keys): void {
  const read = readConfigured(config);
  if (read !== undefined) accounts.replace(read);
}

function readConfigured({ accountsFile }: Config): readonly Account[] | undefined {
  return accountsFile === undefined ? undefined : readAccountsFile(accountsFile);
}

function simple(accessKey: { id: string; secret: string }): Account {
  return { id: SIMPLE_ACCOUNT, accessKeys: [accessKey] };
}

function pair(
  id: string | undefined,
  secret: string | undefined,
): { id: string; secret: string } | undefined {
  return id !== undefined && secret !== undefined ? { id, secret } : undefined;
}
