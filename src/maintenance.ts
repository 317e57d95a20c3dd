import { existsSync } from 'node:fs';
import { lstat, mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from './clock.ts';
import { credentialsPath, readCredentials } from './credentials.ts';
import { LEDGER_FILE, openLedgerDatabase } from './ledger/database.ts';
import type { ServerLock } from './ledger/server-lock.ts';
import { takeServerLock } from './ledger/server-lock.ts';
import { SqliteLedger } from './ledger/sqlite-ledger.ts';
import { SqliteUpkeep } from './ledger/sqlite-upkeep.ts';
import { DiskInventory } from './object-store/disk-inventory.ts';
import { DiskObjectStore } from './object-store/disk-object-store.ts';
import { flushFolder } from './object-store/files.ts';
import { ThreadHasher } from './object-store/thread-hasher.ts';
import { hasErrorCode } from './system-error.ts';
import { backUp } from './uploads/back-up.ts';
import type { BackUpReport } from './uploads/back-up.ts';
import { check } from './uploads/fsck.ts';
import type { CheckOptions, CheckParts, CheckReport } from './uploads/fsck.ts';
import { quoted } from './uploads/quoted.ts';
import { reconcile } from './uploads/reconcile.ts';

export type { Finding } from './uploads/fsck.ts';
/* How commands show what clients have chosen. */
export { quoted } from './uploads/quoted.ts';

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
  const lock = options.repair ? takeServerLock(dataDir) : undefined;
  const database = openLedgerDatabase(dataDir);
  const inventory = new DiskInventory(dataDir, new ThreadHasher());
  const ledger = new SqliteLedger(database);
  const upkeep = new SqliteUpkeep(database);
  try {
    if (options.repair) await settle(dataDir, ledger);
    const journals = options.repair ? 0 : await countWaitingJournals(dataDir, inventory);
    const recoverable = journals === 0 ? new Set<string>() : await inventory.journaled();
    const parts: CheckParts = { ledger, upkeep, inventory, recoverable, clock: options.clock };
    const report = await check(parts, options);
    const compacted = options.repair ? await upkeep.compact() : 'unneeded';
    return { ...report, journals, compacted };
  } finally {
    await inventory.close();
    await database.close();
    lock?.release();
  }
}

/** As the next start would do. */
async function settle(dataDir: string, ledger: SqliteLedger): Promise<void> {
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
  const lock = tryLock(dataDir);
  lock?.release();
  return lock === undefined ? 0 : count;
}

/** @returns undefined when another process has the lock of a folder */
function tryLock(folder: string): ServerLock | undefined {
  try {
    return takeServerLock(folder);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('another server uses')) return undefined;
    throw error;
  }
}

/** What was copied of a data folder. */
export interface DataFolderCopy extends BackUpReport {
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
  const path = resolve(target);
  await requireEmpty(path);
  await makeFolders(dirname(path));
  const folder = `${path}.unfinished`;
  const lock = await lockUnfinished(folder, path);
  try {
    await clear(folder);
    const report = await fill(dataDir, folder, signal);
    await flushFolder(folder);
    await rename(folder, path);
    await removeLock(path);
    await flushFolder(path);
    await flushFolder(dirname(path));
    return report;
  } catch (error) {
    await discard(folder);
    throw error;
  } finally {
    lock.release();
  }
}

/** The files of the lock. In a folder that is unfinished they keep others out of it. */
const LOCK_FILES = ['server.lock', 'server.pid'];

/** Makes the folder that is filled, unless an earlier try has left it, and takes its lock. */
async function lockUnfinished(folder: string, path: string): Promise<ServerLock> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
    const found = await lstat(folder);
    if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) {
      throw new Error(`${folder} is in the way: remove it`, { cause: error });
    }
  }
  const lock = tryLock(folder);
  if (lock !== undefined) return lock;
  throw new Error(`another backup to ${path} is running`);
}

/** Removes all but the lock. */
async function clear(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!LOCK_FILES.includes(name)) await rm(join(folder, name), { recursive: true });
  }
}

/** Another process that finds no lock makes one of its own. */
async function removeLock(folder: string): Promise<void> {
  for (const name of LOCK_FILES) await rm(join(folder, name), { force: true });
}

/** Removes a folder that was not finished; unless another process has just begun to use it. */
async function discard(folder: string): Promise<void> {
  await clear(folder);
  await removeLock(folder);
  try {
    await rmdir(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].some((code) => hasErrorCode(error, code))) throw error;
  }
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
    const report = await copyLedger(dataDir, (upkeep) =>
      backUp({
        ...{ upkeep, inventory, folder, copiedBodies, signal },
        openCopy: () => new SqliteLedger(openLedgerDatabase(folder)),
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
  copy: (upkeep: SqliteUpkeep) => Promise<T>,
): Promise<T> {
  const database = openLedgerDatabase(dataDir);
  try {
    return await copy(new SqliteUpkeep(database));
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
  const found = await copyLedger(folder, (upkeep) => upkeep.findDamage());
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

async function requireEmpty(path: string): Promise<void> {
  if (!existsSync(path)) return;
  if ((await readdir(path)).length > 0) throw new Error(`there is something in ${path} already`);
}

/** Makes a folder and those above it; their names survive a power cut. */
async function makeFolders(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await flushFolder(dirname(made));
  }
}

function requireLedger(dataDir: string): void {
  if (existsSync(join(dataDir, LEDGER_FILE))) return;
  throw new Error(`${dataDir} is not the data folder of a gateway: it holds no ledger`);
}
