import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Clock } from './clock.ts';
import { credentialsPath } from './credentials.ts';
import { LEDGER_FILE, openLedgerDatabase } from './ledger/database.ts';
import { takeServerLock } from './ledger/server-lock.ts';
import { SqliteLedger } from './ledger/sqlite-ledger.ts';
import { SqliteUpkeep } from './ledger/sqlite-upkeep.ts';
import { DiskInventory } from './object-store/disk-inventory.ts';
import { DiskObjectStore } from './object-store/disk-object-store.ts';
import { ThreadHasher } from './object-store/thread-hasher.ts';
import { hasErrorCode } from './system-error.ts';
import { backUp } from './uploads/back-up.ts';
import type { BackUpReport } from './uploads/back-up.ts';
import { check } from './uploads/fsck.ts';
import type { CheckOptions, CheckParts, CheckReport } from './uploads/fsck.ts';
import { reconcile } from './uploads/reconcile.ts';

export type { BackUpReport } from './uploads/back-up.ts';
export type { CheckReport, Finding } from './uploads/fsck.ts';

/**
 * Compares the ledger of a data folder with its bodies. Its server may be running, unless something is to be
 * repaired.
 * @throws when no gateway has run there yet; when something is to be repaired and a server uses the folder
 */
export async function checkDataFolder(
  dataDir: string,
  options: CheckOptions & { readonly clock: Clock },
): Promise<CheckReport> {
  requireLedger(dataDir);
  const lock = options.repair ? takeServerLock(dataDir) : undefined;
  const database = openLedgerDatabase(dataDir);
  const inventory = new DiskInventory(dataDir, new ThreadHasher());
  const parts: CheckParts = {
    ledger: new SqliteLedger(database),
    upkeep: new SqliteUpkeep(database),
    inventory,
    clock: options.clock,
  };
  try {
    if (options.repair) await settle(dataDir, parts);
    return await check(parts, options);
  } finally {
    await inventory.close();
    await database.close();
    lock?.release();
  }
}

/** As the next start would do. */
async function settle(dataDir: string, { ledger }: CheckParts): Promise<void> {
  const store = await DiskObjectStore.open(dataDir, new ThreadHasher());
  try {
    await reconcile({ ledger, store });
  } finally {
    await store.close();
  }
}

/**
 * Copies a data folder while its server is running: ledger, bodies and made up credentials, as they were at one
 * moment. The copy gets its name when it is complete. Bodies never change, so a copy on the same file system shares
 * them with the original.
 * @param target - a folder that is not there yet, or is empty
 * @throws when no gateway has run there yet; when there is something in the target
 */
export async function backUpDataFolder(dataDir: string, target: string): Promise<BackUpReport> {
  requireLedger(dataDir);
  const path = resolve(target);
  await requireEmpty(path);
  await mkdir(dirname(path), { recursive: true });
  const folder = await mkdtemp(join(dirname(path), `${basename(path)}.unfinished-`));
  try {
    const report = await fill(dataDir, folder);
    await copyCredentials(dataDir, folder);
    await rename(folder, path);
    return report;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function fill(dataDir: string, folder: string): Promise<BackUpReport> {
  const database = openLedgerDatabase(dataDir);
  const inventory = new DiskInventory(dataDir, new ThreadHasher());
  const copiedBodies = new DiskInventory(folder, new ThreadHasher());
  try {
    return await backUp({
      upkeep: new SqliteUpkeep(database),
      inventory,
      folder,
      openCopy: () => new SqliteLedger(openLedgerDatabase(folder)),
      copiedBodies,
    });
  } finally {
    await inventory.close();
    await copiedBodies.close();
    await database.close();
  }
}

async function copyCredentials(dataDir: string, folder: string): Promise<void> {
  try {
    await copyFile(credentialsPath(dataDir), credentialsPath(folder));
    await chmod(credentialsPath(folder), 0o600);
  } catch (error) {
    // There are none when all keys were given.
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}

async function requireEmpty(path: string): Promise<void> {
  if (!existsSync(path)) return;
  if ((await readdir(path)).length > 0) throw new Error(`there is something in ${path} already`);
  await rmdir(path);
}

function requireLedger(dataDir: string): void {
  if (existsSync(join(dataDir, LEDGER_FILE))) return;
  throw new Error(`${dataDir} is not the data folder of a gateway: it holds no ledger`);
}
