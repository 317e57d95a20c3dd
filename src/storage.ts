import type { Config } from './config/config.ts';
import { POSTGRES_CLIENT, S3_SDK, loadOptional } from './config/optional-packages.ts';
import { SettingsError } from './config/settings-error.ts';
import { parseStoreUrl } from './config/shared-urls.ts';
import type { ExistingRecords } from './ledger/postgres/records.ts';
import type * as RowCopy from './ledger/postgres/postgres-rows.ts';
import type { Records } from './ledger/records.ts';
import { openRecords as openSqliteRecords } from './ledger/sqlite/records.ts';
import { wallClock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import { DiskObjectStore } from './object-store/disk/disk-object-store.ts';
import { ThreadHasher } from './object-store/hashing/thread-hasher.ts';
import type { BodyImporter } from './uploads/maintenance/copy-bodies.ts';
import type { BodyInventory } from './uploads/maintenance/ports.ts';
import type { ObjectStore, UploadLedger } from './uploads/ports.ts';
import type { StoreSweep } from './uploads/daily-sweep.ts';

/*
 * Ledger and store as the settings name them: in the data folder, or shared with other gateways. PostgreSQL and S3 are
 * loaded only when a setting names them.
 */

/**
 * Opens the records of a server, and brings their schema up to date.
 * @throws SettingsError when a package is missing
 */
export async function openRecords(config: Config, logger: Logger): Promise<Records> {
  const { ledgerPool: connections, ledgerUrl: url } = config;
  if (url === undefined) return openSqliteRecords(config);
  const { openPostgresRecords } = await loadPostgres(() => import('./ledger/postgres/records.ts'));
  return openPostgresRecords({ url, connections }, logger);
}

/** Opens the records of a shared ledger for a command, which never changes their schema. */
export async function openExistingRecords(
  { ledgerUrl: url }: Config,
  logger: Logger,
): Promise<ExistingRecords | undefined> {
  if (url === undefined) return undefined;
  const postgres = await loadPostgres(() => import('./ledger/postgres/records.ts'));
  return postgres.openExistingPostgresRecords({ url, connections: 2 }, logger);
}

/** Loads what copies rows into a shared ledger and out of it. @throws SettingsError when a package is missing */
export function loadRowCopy(): Promise<typeof RowCopy> {
  return loadPostgres(() => import('./ledger/postgres/postgres-rows.ts'));
}

function loadPostgres<Module>(load: () => Promise<Module>): Promise<Module> {
  return loadOptional(POSTGRES_CLIENT, load);
}

/** A store, and what only a shared one has. */
export interface OpenStore {
  readonly store: ObjectStore;
  /** Absent for a disk, which reconciles at each start. */
  readonly sweep?: StoreSweep | undefined;
}

/** Opens the store of a server. @throws SettingsError when a package is missing */
export async function openStore(config: Config, logger: Logger): Promise<OpenStore> {
  const { dataDir, minFree } = config;
  const hasher = new ThreadHasher();
  if (config.storeUrl === undefined) {
    return { store: await DiskObjectStore.open(dataDir, hasher, minFree, logger) };
  }
  const access = await openStoreAccess(config, config.storeUrl, logger);
  const { S3ObjectStore } = await import('./object-store/s3/s3-object-store.ts');
  const store = await S3ObjectStore.open({ ...access, dataDir, hasher, minFree });
  return { store, sweep: await createSweep(access, logger) };
}

/** Sweeps a shared store once, for a command. @throws SettingsError as {@link openStore} */
export async function openSweep(
  config: Config,
  storeUrl: string,
  logger: Logger,
): Promise<{ readonly sweep: StoreSweep; readonly close: () => void }> {
  const access = await openStoreAccess(config, storeUrl, logger);
  return {
    sweep: await createSweep(access, logger),
    close: () => {
      access.client.close();
    },
  };
}

/** The bodies of a shared store, for a command. */
export interface SharedBodies {
  /** What messages call the store. */
  readonly name: string;
  readonly inventory: BodyInventory;
  /** @throws StoreUnavailable when the bucket cannot be used */
  readonly checkBucket: () => Promise<void>;
  /** Ends multipart uploads that are older than `OTA_GATEWAY_ORPHAN_AGE`. @returns how many */
  readonly endUploads: () => Promise<number>;
  /** What copies bodies into the store; close it. */
  readonly openImporter: () => BodyImporter;
}

/** Opens the bodies of a shared store beside its gateways. @throws SettingsError as {@link openStore} */
export async function openSharedBodies(
  config: Config,
  storeUrl: string,
  logger: Logger,
): Promise<SharedBodies> {
  const access = await openStoreAccess(config, storeUrl, logger);
  const { S3BodyImporter } = await import('./object-store/s3/body-importer.ts');
  const { StoredBodies } = await import('./object-store/s3/stored-bodies.ts');
  const { S3Inventory } = await import('./object-store/s3/s3-inventory.ts');
  const { endUploads } = await import('./object-store/s3/sweep.ts');
  const bodies = new StoredBodies(access);
  const inventory = new S3Inventory(bodies, config.orphanAge);
  return {
    name: access.name,
    inventory,
    checkBucket: () => bodies.calls.request(() => access.client.checkBucket()),
    endUploads: () => endUploads({ bodies, logger }, config.orphanAge),
    openImporter: () => new S3BodyImporter(bodies, inventory, new ThreadHasher()),
  };
}

type StoreAccess = Awaited<ReturnType<typeof openStoreAccess>>;

async function createSweep(access: StoreAccess, logger: Logger): Promise<StoreSweep> {
  const { StoredBodies } = await import('./object-store/s3/stored-bodies.ts');
  const { sweep } = await import('./object-store/s3/sweep.ts');
  const bodies = new StoredBodies(access);
  return (ledger: Pick<UploadLedger, 'disown'>, orphanAge, signal) =>
    sweep({ bodies, ledger, clock: wallClock, logger, ...(signal && { signal }) }, orphanAge);
}

async function openStoreAccess(
  { storeAccessKeyId, storeAccessKeySecret }: Config,
  storeUrl: string,
  logger: Logger,
) {
  const { STORE_LIMITS } = await import('./object-store/s3/limits.ts');
  const { openS3Client } = await loadOptional(
    S3_SDK,
    () => import('./object-store/s3/s3-client.ts'),
  );
  const { prefix, ...address } = parseStoreUrl(storeUrl);
  const { bucket } = address;
  const hasKeys = storeAccessKeyId !== undefined && storeAccessKeySecret !== undefined;
  const client = openS3Client(address, {
    stallTimeout: STORE_LIMITS.stallTimeout,
    sockets: STORE_LIMITS.requests + STORE_LIMITS.parts,
    ...(hasKeys && {
      credentials: { accessKeyId: storeAccessKeyId, secretAccessKey: storeAccessKeySecret },
    }),
  });
  return { client, name: `s3://${bucket}/${prefix}`, prefix, logger };
}

/**
 * Checks that a ledger is not being filled, and keeps it from being filled as long as it exists.
 * @throws SettingsError when `ota-gateway export` has not ended
 */
export async function requireComplete({ shared }: Records): Promise<void> {
  if (shared === undefined) return;
  const { LEDGER_USE, SERVED, isUnfinished } = await import('./ledger/copy/ledger-use.ts');
  if (!isUnfinished(await shared.agree(LEDGER_USE, SERVED))) return;
  const text =
    'names a ledger into which `ota-gateway export` has not copied everything yet: run it to its end';
  throw new SettingsError([{ settings: ['ledgerUrl'], text }]);
}

/**
 * Checks that all gateways of a ledger have one store and one bucket: a node with another store could not read the
 * bodies of the others.
 * @throws SettingsError when the ledger remembers others
 */
export async function requireSameStore(
  { bucket, storeUrl }: Config,
  { shared }: Records,
): Promise<void> {
  if (shared === undefined || storeUrl === undefined) return;
  const { endpoint = 'AWS', ...address } = parseStoreUrl(storeUrl);
  const own = [
    {
      name: 'store',
      setting: 'storeUrl',
      value: `${endpoint} ${address.bucket}/${address.prefix}`,
    },
    { name: 'bucket', setting: 'bucket', value: bucket },
  ] as const;
  const problems = [];
  for (const { name, setting, value } of own) {
    const agreed = await shared.agree(name, value);
    if (agreed === value) continue;
    const text = `is ${value}, but the gateways of this ledger use ${agreed}: give this gateway the same, or another ledger`;
    problems.push({ settings: [setting], text });
  }
  if (problems.length > 0) throw new SettingsError(problems);
}
