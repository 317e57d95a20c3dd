import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentialsPath, readCredentials } from './accounts/credentials-file.ts';
import { readConfigured, resolveBucketKeys } from './accounts/keys.ts';
import type { Config } from './config/config.ts';
import { upgradeMessage } from './iot/upgrade-message.ts';
import { findObstacle, openForReading, requireLedger } from './existing-ledger.ts';
import { LEDGER_FILE, openExistingLedger } from './ledger/sqlite/database.ts';
import { SqliteLedger } from './ledger/sqlite/sqlite-ledger.ts';
import { SqliteMaintenance } from './ledger/sqlite/sqlite-maintenance.ts';
import type { Clock } from './lib/clock.ts';
import { wallClock } from './lib/clock.ts';
import { hasErrorCode } from './lib/errno.ts';
import { PRIVATE_FILE } from './lib/private-files.ts';
import { quoted } from './lib/quoted.ts';
import { DiskObjectStore } from './object-store/disk/disk-object-store.ts';
import { takeServerLock, tryServerLock } from './object-store/disk/folder-lock.ts';
import { DiskInventory } from './object-store/disk/inventory.ts';
import { makeWholeFolder } from './object-store/disk/whole-folder.ts';
import { ThreadHasher } from './object-store/hashing/thread-hasher.ts';
import type { FormJudge } from './operator/ports.ts';
import type { PushMessageShape } from './operator/package-shapes.ts';
import { pushMessage } from './operator/push-message.ts';
import { createQueries } from './operator/queries.ts';
import type { Queries } from './operator/queries.ts';
import { createRefusalQueries } from './operator/refusals.ts';
import type { RefusalKeys, RefusalQueries } from './operator/refusals.ts';
import { FOLDER_READER } from './operator/viewer.ts';
import type { Viewer } from './operator/viewer.ts';
import { createFormJudge, publicHost } from './platform.ts';
import { downloadUrl } from './signatures/download-url.ts';
import type { FirmwarePackage } from './uploads/firmware-package.ts';
import { LedgerTotals } from './uploads/ledger-totals.ts';
import { backUp } from './uploads/maintenance/backup.ts';
import type { BackupReport } from './uploads/maintenance/backup.ts';
import { check } from './uploads/maintenance/check.ts';
import type {
  CheckDependencies,
  CheckOptions,
  CheckReport,
  Repair,
} from './uploads/maintenance/check.ts';
import type { UploadLedger } from './uploads/ports.ts';
import { reconcile } from './uploads/reconcile.ts';

/* Used by the commands. */
export type { LedgerTotals } from './uploads/ledger-totals.ts';
export type { FirmwarePackage } from './uploads/firmware-package.ts';
export type { Finding } from './uploads/maintenance/check.ts';

/** A data folder that is opened without a gateway, for commands; its server may be running. */
export interface DataFolder extends AsyncDisposable {
  readonly ledger: UploadLedger;
  /** Finds a firmware package of any account. */
  findPackage(firmwareId: string): Promise<FirmwarePackage | undefined>;
  /**
   * Signs the download URL of an object; the object need not exist.
   * @param expiresAt - Unix milliseconds
   * @throws ConfigError when the address of the gateway does not follow from the settings; an Error when there is no
   *   bucket key, neither in the settings nor in the data folder
   */
  downloadUrl(key: string, expiresAt: number): string;
  /**
   * Makes the message that the platform would push to a device now.
   * @param validity - how long its URLs are valid, in milliseconds
   * @throws like `downloadUrl`
   */
  pushMessage(firmware: FirmwarePackage, validity: number): PushMessageShape;
}

/**
 * Opens a data folder for reading. Its server may be running.
 * @throws SettingsError when the folder has no ledger
 */
export async function openDataFolder(config: Config): Promise<DataFolder> {
  const { ledger } = await openForReading(config);
  // Only reads credentials: the server would reject signatures of newly generated keys.
  const bucketKeyOf = () => resolveBucketKeys(config, readCredentials).current;
  return {
    ledger,
    findPackage: (firmwareId) => ledger.findPackageById(firmwareId),
    downloadUrl: (key, expiresAt) =>
      downloadUrl(
        bucketKeyOf(),
        { host: publicHost(config), bucket: config.bucket, key },
        expiresAt,
      ),
    pushMessage: (firmware, validity) => {
      const deps = { bucket: config.bucket, bucketKey: bucketKeyOf(), compose: upgradeMessage };
      return pushMessage(deps, firmware, {
        at: wallClock.now(),
        validity,
        host: publicHost(config),
      });
    },
    [Symbol.asyncDispose]: () => ledger.close(),
  };
}

/** Answers what operators ask from a data folder; its server may be running. */
export interface FolderQueries extends AsyncDisposable {
  readonly queries: Queries;
  /** What was refused, while the server keeps it. */
  readonly refusals: RefusalQueries;
  /** A reader of the folder sees everything. */
  readonly viewer: Viewer;
}

/**
 * Opens a data folder for queries, for reading only.
 * @throws SettingsError when the folder has no ledger; an Error when its ledger is older or newer than this program
 */
export async function openQueries(
  config: Config,
  clock: Clock = wallClock,
): Promise<FolderQueries> {
  const { ledger, refusals } = await openForReading(config);
  const { bucket, claimTtl, maxUpload: maxUploadBytes, policyTtl } = config;
  return {
    queries: createQueries({ ledger, clock, rules: { claimTtl } }),
    refusals: createRefusalQueries({
      judge: folderJudge(config, clock),
      wallClock,
      refusals,
      keys: () => folderKeys(config),
      rules: { bucket, policyTtl, maxUploadBytes },
    }),
    viewer: FOLDER_READER,
    [Symbol.asyncDispose]: () => ledger.close(),
  };
}

/** @returns undefined when neither the settings nor the data folder have a bucket key */
function folderJudge(config: Config, clock: Clock): FormJudge | undefined {
  const { accounts, bucketKey } = folderKeys(config);
  if (bucketKey === undefined) return undefined;
  const isAccountKey = (id: string): boolean =>
    accounts.some(({ accessKeys }) => accessKeys.some((key) => key.id === id));
  const ownPorts = new Set([config.port]);
  return createFormJudge({ config, bucketKey, isAccountKey, clock, wallClock, ownPorts });
}

/** @returns the keys of the settings and of the data folder, as far as there are any; none is generated */
function folderKeys(config: Config): RefusalKeys {
  const hasFile = existsSync(credentialsPath(config.dataDir));
  const simple =
    simpleKey(config) ?? (hasFile ? readCredentials(config.dataDir).account : undefined);
  const own = simple === undefined ? [] : [{ id: 'default', accessKeys: [simple] }];
  const hasBucketKey = hasFile || config.ossAccessKeyId !== undefined;
  return {
    accounts: readConfigured(config) ?? own,
    ...(hasBucketKey && { bucketKey: resolveBucketKeys(config, readCredentials).current }),
  };
}

function simpleKey({
  accessKeyId: id,
  accessKeySecret: secret,
}: Config): { id: string; secret: string } | undefined {
  return id !== undefined && secret !== undefined ? { id, secret } : undefined;
}

/** The result of a check of a data folder. */
export interface DataFolderReport extends CheckReport {
  /** Number of journals that a crash has left for the next start. */
  readonly journals: number;
  /** Whether a repair has rewritten a ledger of an older version so that it returns space to the disk. */
  readonly compacted: 'unneeded' | 'done' | 'full';
}

/**
 * Compares the ledger of a data folder with its bodies. Its server may be running, except for a repair.
 * @throws when the folder has no ledger; for a repair, when a server uses the folder
 */
export async function checkDataFolder(
  dataDir: string,
  options: CheckOptions & { readonly clock: Clock },
): Promise<DataFolderReport> {
  requireLedger(dataDir);
  if (!options.repair) return checkLedger(dataDir, options);
  const lock = takeServerLock(dataDir);
  try {
    return await checkLedger(dataDir, options);
  } finally {
    lock.release();
  }
}

async function checkLedger(
  dataDir: string,
  options: CheckOptions & { readonly clock: Clock },
): Promise<DataFolderReport> {
  const database = openExistingLedger(dataDir, options.repair ? 'write' : 'read');
  const inventory = new DiskInventory(dataDir, new ThreadHasher());
  const ledger = new SqliteLedger(database);
  const maintenance = new SqliteMaintenance(database);
  try {
    if (options.repair) await recover(dataDir, ledger);
    const journals = options.repair ? 0 : await countLeftJournals(dataDir, inventory);
    const recoverable = journals === 0 ? new Set<string>() : await inventory.listJournaled();
    const deps: CheckDependencies = {
      ...{ ledger, maintenance, inventory, recoverable },
      clock: options.clock,
      giveUp: ({ path }) => setAside(inventory, path),
    };
    const report = await check(deps, options);
    const compacted = options.repair ? await maintenance.compact() : 'unneeded';
    return { ...report, journals, compacted };
  } finally {
    await inventory.close();
    await database.close();
  }
}

async function setAside(inventory: DiskInventory, path: string): Promise<Repair> {
  try {
    return { done: `moved to ${quoted(await inventory.setAside(path))}` };
  } catch (error) {
    return { done: undefined, failure: `, and could not be moved: ${quoted(String(error))}` };
  }
}

/** Recovers and reconciles after a crash, as the next start does. */
export async function recover(dataDir: string, ledger: SqliteLedger): Promise<void> {
  const store = await DiskObjectStore.open(dataDir, new ThreadHasher());
  try {
    await reconcile({ ledger, store });
  } finally {
    await store.close();
  }
}

/**
 * @returns what each account has according to the ledger; undefined when the data folder does not exist
 * @throws SettingsError when the folder cannot be read
 */
export async function countAll(config: Config): Promise<LedgerTotals | undefined> {
  const { dataDir, ledgerUrl } = config;
  if (ledgerUrl === undefined && hasErrorCode(findObstacle(dataDir), 'ENOENT')) return undefined;
  const { ledger } = await openForReading(config);
  const totals = new LedgerTotals();
  try {
    await totals.start(ledger);
  } finally {
    await ledger.close();
  }
  return totals;
}

/** @returns whether a server uses a data folder; undefined when this user cannot know that */
export function isServing(dataDir: string): boolean | undefined {
  if (hasErrorCode(findObstacle(dataDir), 'EACCES')) return undefined;
  if (!existsSync(join(dataDir, LEDGER_FILE))) return false;
  const lock = tryServerLock(dataDir);
  lock?.release();
  return lock === undefined;
}

/** @returns the number of journals that a crash has left; 0 while a server is running, which still uses its journals */
async function countLeftJournals(dataDir: string, inventory: DiskInventory): Promise<number> {
  const count = await inventory.countJournals();
  if (count === 0) return 0;
  const lock = tryServerLock(dataDir);
  lock?.release();
  return lock === undefined ? 0 : count;
}

/** The result of a backup of a data folder. */
export interface DataFolderCopy extends BackupReport {
  /** One line for each other problem of the original, which the copy has, too. */
  readonly damage: readonly string[];
}

/**
 * Copies a data folder: ledger, bodies and generated credentials, as they were at one moment. Its server may be
 * running. The copy gets its name when it is complete and durable. Bodies never change, so a copy on the same file
 * system shares them with the original as hard links. The next backup to the same target removes what a killed one has
 * left.
 * @param target - a folder that does not exist yet, or is empty
 * @throws when the folder has no ledger; when a crash has left journals that are not recovered yet; when the target is
 *   not empty, or another backup to it is running; the reason of the signal
 */
export async function backUpDataFolder(
  dataDir: string,
  target: string,
  signal?: AbortSignal,
): Promise<DataFolderCopy> {
  requireLedger(dataDir);
  return makeWholeFolder(target, (folder) => fill(dataDir, folder, signal));
}

async function fill(
  dataDir: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<DataFolderCopy> {
  const inventory = new DiskInventory(dataDir, new ThreadHasher());
  const copiedBodies = new DiskInventory(folder, new ThreadHasher());
  try {
    await requireRecovered(dataDir, inventory);
    const report = await copyLedger(dataDir, (maintenance) =>
      backUp({
        ...{ maintenance, inventory, folder, copiedBodies, signal },
        openCopy: () => new SqliteLedger(openExistingLedger(folder, 'read')),
      }),
    );
    const credentials = await copyCredentials(dataDir, folder);
    return { ...report, damage: [...(await findDamage(folder)), ...credentials] };
  } finally {
    await inventory.close();
    await copiedBodies.close();
  }
}

async function copyLedger<T>(
  dataDir: string,
  copy: (maintenance: SqliteMaintenance) => Promise<T>,
): Promise<T> {
  const database = openExistingLedger(dataDir, 'read');
  try {
    return await copy(new SqliteMaintenance(database));
  } finally {
    await database.close();
  }
}

/** After a power cut, files of bodies in a journal may be incomplete until the next start has restored them. */
async function requireRecovered(dataDir: string, inventory: DiskInventory): Promise<void> {
  if ((await countLeftJournals(dataDir, inventory)) === 0) return;
  throw new Error(
    `a crash has left journals in ${dataDir} that are not recovered yet: start the gateway, ` +
      'or run fsck --repair, before the backup',
  );
}

/** @returns one line for each damage of a ledger that no server uses */
export async function findDamage(folder: string): Promise<readonly string[]> {
  const found = await copyLedger(folder, (maintenance) => maintenance.findDamage());
  return found.map((text) => `ledger damage: ${text}`);
}

/** Copies the generated credentials, if there are any. @returns one line if they are damaged */
export async function copyCredentials(dataDir: string, folder: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(credentialsPath(dataDir), 'utf8');
  } catch (error) {
    // There is no file when the settings have all keys.
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
  await using copy = await open(credentialsPath(folder), 'wx', PRIVATE_FILE);
  await copy.writeFile(text);
  await copy.sync();
  try {
    readCredentials(folder);
    return [];
  } catch {
    return [`${quoted(credentialsPath(dataDir))} does not hold credentials`];
  }
}
