import type { Config } from '../config/config.ts';
import { loadModule } from '../lib/load-module.ts';
import { createBucketKey } from '../signatures/bucket-key.ts';
import type { Account } from './accounts.ts';
import { AccountDirectory } from './accounts.ts';
import type * as ReaderModule from './accounts-file.ts';
import { BucketKeyRing } from './bucket-key-ring.ts';
import type { BucketKeys, PreviousKey } from './bucket-key-ring.ts';
import type { Credentials } from './credentials-file.ts';
import { credentialsPath, loadOrCreateCredentials, readCredentials } from './credentials-file.ts';

/** Two kinds of credential, never mixed: account keys sign API calls, the bucket key signs policies and downloads. */
export interface Keys {
  readonly accounts: AccountDirectory;
  readonly bucketKey: BucketKeyRing;
  /** The file of the generated keys; undefined when all keys are configured. */
  readonly credentialsFile: string | undefined;
  /** The same file, if it has the access key of the account, and not only that of the bucket. */
  readonly generatedAccountFile: string | undefined;
}

/** The id of the account of a simple installation. Never change it: object keys are derived from it. */
export const SIMPLE_ACCOUNT = 'default';

/**
 * Finds the account keys, the first of: the given accounts, the settings, the data folder. The bucket key comes from the
 * settings, or else from the data folder.
 * @param given - for example those of the accounts file
 * @throws when the file of the data folder cannot be used
 */
export function resolveKeys(config: Config, given: readonly Account[] | undefined): Keys {
  const { dataDir } = config;
  const account = pairUp(config.accessKeyId, config.accessKeySecret);
  const accounts = given ?? (account && [createAccount(account)]);
  return {
    accounts: new AccountDirectory(
      accounts ?? [createAccount(loadOrCreateCredentials(dataDir).account)],
    ),
    bucketKey: new BucketKeyRing(resolveBucketKeys(config, loadOrCreateCredentials)),
    credentialsFile:
      config.ossAccessKeyId !== undefined && accounts ? undefined : credentialsPath(dataDir),
    generatedAccountFile: accounts === undefined ? credentialsPath(dataDir) : undefined,
  };
}

/**
 * @returns the bucket keys of the settings, or else of the data folder; the settings can also have the previous one
 * @param credentialsOf - returns the credentials of a data folder
 */
export function resolveBucketKeys(
  config: Config,
  credentialsOf: (dataDir: string) => Credentials,
): BucketKeys {
  const { dataDir, ossAccessKeyId, ossAccessKeySecret } = config;
  const previous = previousOfSettings(config);
  const given = pairUp(ossAccessKeyId, ossAccessKeySecret);
  if (given !== undefined) return { current: createBucketKey(given.id, given.secret), previous };
  const { bucket, previousBucket } = credentialsOf(dataDir);
  const current = createBucketKey(bucket.id, bucket.secret);
  if (previousBucket === undefined) return { current, previous };
  const { id, secret, until } = previousBucket;
  return { current, previous: [...previous, { key: createBucketKey(id, secret), until }] };
}

function previousOfSettings({
  ossPreviousAccessKeyId,
  ossPreviousAccessKeySecret,
}: Config): PreviousKey[] {
  const given = pairUp(ossPreviousAccessKeyId, ossPreviousAccessKeySecret);
  return given === undefined ? [] : [{ key: createBucketKey(given.id, given.secret) }];
}

/** Reads the accounts file and the generated bucket keys again. @throws when one cannot be used; the old ones stay */
export function reloadKeys(config: Config, { accounts, bucketKey }: Keys): void {
  const read = readConfigured(config);
  const bucketKeys = resolveBucketKeys(config, readCredentials);
  if (read !== undefined) accounts.replace(read);
  bucketKey.replace(bucketKeys);
}

/** @returns the accounts of the accounts file; undefined when none is configured. @throws SettingsError */
export function readConfigured({ accountsFile }: Config): readonly Account[] | undefined {
  return accountsFile === undefined ? undefined : loadReader()(accountsFile);
}

/** Loads what reads an accounts file, which most gateways do not have. */
function loadReader(): typeof ReaderModule.readAccountsFile {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return loadModule<typeof ReaderModule>(() => require('./accounts-file'), 'readAccountsFile')
    .readAccountsFile;
}

function createAccount(accessKey: { id: string; secret: string }): Account {
  return { id: SIMPLE_ACCOUNT, operator: true, accessKeys: [accessKey] };
}

function pairUp(
  id: string | undefined,
  secret: string | undefined,
): { id: string; secret: string } | undefined {
  return id !== undefined && secret !== undefined ? { id, secret } : undefined;
}
