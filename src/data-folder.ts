import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentialsPath, readCredentials } from './accounts/credentials-file.ts';
import { resolveBucketKey } from './accounts/keys.ts';
import type { Config } from './config/config.ts';
import { ConfigError } from './config/config.ts';
import { serverUrl } from './http/public-host.ts';
import { LEDGER_FILE, openExistingLedger } from './ledger/sqlite/database.ts';
import { SqliteLedger } from './ledger/sqlite/sqlite-ledger.ts';
import { SqliteMaintenance } from './ledger/sqlite/sqlite-maintenance.ts';
import type { Clock } from './lib/clock.ts';
import { hasErrorCode } from './lib/errno.ts';
import { quoted } from './lib/quoted.ts';
import { DiskObjectStore } from './object-store/disk/disk-object-store.ts';
import { takeServerLock, tryServerLock } from './object-store/disk/folder-lock.ts';
import { DiskInventory } from './object-store/disk/inventory.ts';
import { makeWholeFolder } from './object-store/disk/whole-folder.ts';
import { ThreadHasher } from './object-store/hashing/thread-hasher.ts';
import { downloadUrl } from './signatures/download-url.ts';
import type { FirmwarePackage } from './uploads/firmware-package.ts';
import { backUp } from './uploads/maintenance/backup.ts';
import type { BackupReport } from './uploads/maintenance/backup.ts';
import { check } from './uploads/maintenance/check.ts';
import type { CheckOptions, CheckDependencies, CheckReport } from './uploads/maintenance/check.ts';
import type { UploadLedger } from './uploads/ports.ts';
import { reconcile } from './uploads/reconcile.ts';

/* What commands say with it. */
export { upgradeMessage } from './iot/upgrade-message.ts';
export type { Finding } from './uploads/maintenance/check.ts';

/** A data folder without its gateway: for commands, beside the server that may be using it. */
export interface DataFolder extends AsyncDisposable {
  readonly ledger: UploadLedger;
  /** Finds a firmware package, whatever account it belongs to. */
  findPackage(firmwareId: string): Promise<FirmwarePackage | undefined>;
  /**
   * Signs the download of an object, be it there or not.
   * @param expiresAt - Unix milliseconds
   * @throws ConfigError when the settings do not tell the address of the gateway; an Error when they do not
   *   tell the bucket key
   */
  downloadUrl(key: string, expiresAt: number): string;
}

/**
 * Opens a data folder without taking it from its server.
 * @throws when no gateway has run there yet
 */
export function openDataFolder(config: Config): DataFolder {
  requireLedger(config.dataDir);
  const ledger = new SqliteLedger(openExistingLedger(config.dataDir, 'read'));
  return {
    ledger,
    findPackage: async (firmwareId) => {
      for (const { accountId } of await ledger.packageOwners()) {
        const found = await ledger.findPackage(accountId, firmwareId);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    downloadUrl: (key, expiresAt) => {
      // Made up keys would sign nothing that the server accepts.
      const bucketKey = resolveBucketKey(config, readCredentials);
      const address = { host: publicHost(config), bucket: config.bucket, key };
      return downloadUrl(bucketKey, address, expiresAt);
    },
    [Symbol.asyncDispose]: () => ledger.close(),
  };
}

const ANY_ADDRESS = ['0.0.0.0', '::'];

function publicHost({ host, port, publicUrl, tlsCert }: Config): string {
  if (publicUrl !== undefined) return publicUrl;
  if (port === 0 || ANY_ADDRESS.includes(host)) {
    throw new ConfigError([
      `${host}:${port} is no address that a client can call: set the public URL`,
    ]);
  }
  return serverUrl({ isTls: tlsCert !== undefined, host, port });
}

/** What a check of a data folder has found. */
export interface DataFolderReport extends CheckReport {
  /** Journals that a crash has left for the next start. */
  readonly journals: number;
  /** What became of a ledger that an older version has made, which does not give room back: only a repair asks. */
  readonly compacted: 'unneeded' | 'done' | 'full';
}

/**
 * Compares the ledger of a data folder with its bodies. Its server may be running, unless something is to be
 * repaired.
 * @throws when no gateway has run there yet; when something is to be repaired and a server uses the folder
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
    const journals = options.repair ? 0 : await countWaitingJournals(dataDir, inventory);
    const recoverable = journals === 0 ? new Set<string>() : await inventory.listJournaled();
    const deps: CheckDependencies = {
      ledger,
      maintenance,
      inventory,
      recoverable,
      clock: options.clock,
    };
    const report = await check(deps, options);
    const compacted = options.repair ? await maintenance.compact() : 'unneeded';
    return { ...report, journals, compacted };
  } finally {
    await inventory.close();
    await database.close();
  }
}

/** As the next start would do. */
async function recover(dataDir: string, ledger: SqliteLedger): Promise<void> {
  const store = await DiskObjectStore.open(dataDir, new ThreadHasher());
  try {
    await reconcile({ ledger, store });
  } finally {
    await store.close();
  }
}

/** A server that is running has journals of its own, which nobody waits for. */
async function countWaitingJournals(dataDir: string, inventory: DiskInventory): Promise<number> {
  const count = await inventory.countJournals();
  if (count === 0) return 0;
  const lock = tryServerLock(dataDir);
  lock?.release();
  return lock === undefined ? 0 : count;
}

/** What was copied of a data folder. */
export interface DataFolderCopy extends BackupReport {
  /** A line for everything else that is wrong with the copy, because it is with the original. */
  readonly damage: readonly string[];
}

/**
 * Copies a data folder while its server is running: ledger, bodies and made up credentials, as they were at one
 * moment. The copy gets its name when it is complete and durable. Bodies never change, so a copy on the same file
 * system shares them with the original. What a copy that was killed has left behind goes with the next one to the same
 * target.
 * @param target - a folder that is not there yet, or is empty
 * @throws when no gateway has run there yet; when a crash has left journals there, and no server has recovered them;
 *   when there is something in the target, or another copy is being made of it; the reason of the signal
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

/** The files of bodies that are in a journal may be empty after a power cut, until a start has written them anew. */
async function requireRecovered(dataDir: string, inventory: DiskInventory): Promise<void> {
  if ((await countWaitingJournals(dataDir, inventory)) === 0) return;
  throw new Error(
    `a crash has left journals in ${dataDir} that no server has recovered: start the gateway, ` +
      'or run fsck --repair, and back up then',
  );
}

async function findDamage(folder: string): Promise<readonly string[]> {
  const found = await copyLedger(folder, (maintenance) => maintenance.findDamage());
  return found.map((text) => `ledger damage: ${text}`);
}

/** @returns what is wrong with the credentials */
async function copyCredentials(dataDir: string, folder: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(credentialsPath(dataDir), 'utf8');
  } catch (error) {
    // There are none when all keys were given.
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
  await using copy = await open(credentialsPath(folder), 'wx', 0o600);
  await copy.writeFile(text);
  await copy.sync();
  try {
    readCredentials(folder);
    return [];
  } catch {
    return [`${quoted(credentialsPath(dataDir))} does not hold credentials`];
  }
}

function requireLedger(dataDir: string): void {
  if (existsSync(join(dataDir, LEDGER_FILE))) return;
  throw new Error(`${dataDir} is not the data folder of a gateway: it holds no ledger`);
}
