import { openExistingLedger } from '../ledger/sqlite/database.ts';
import { SqliteLedger } from '../ledger/sqlite/sqlite-ledger.ts';
import { SqliteMaintenance } from '../ledger/sqlite/sqlite-maintenance.ts';
import type { Clock } from '../lib/clock.ts';
import { quoted } from '../lib/quoted.ts';
import { DiskObjectStore } from '../object-store/disk/disk-object-store.ts';
import { isServerLockHeld, takeServerLock } from '../object-store/disk/folder-lock.ts';
import { DiskInventory } from '../object-store/disk/inventory.ts';
import { ThreadHasher } from '../object-store/hashing/thread-hasher.ts';
import { check } from '../uploads/maintenance/check.ts';
import type {
  CheckDependencies,
  CheckOptions,
  CheckReport,
  Repair,
} from '../uploads/maintenance/check.ts';
import { reconcile } from '../uploads/reconcile.ts';
import { requireLedger } from './existing-ledger.ts';

/* Used by the commands. */
export type { Finding } from '../uploads/maintenance/check.ts';

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

/** @returns the number of journals that a crash has left; 0 while a server is running, which still uses its journals */
export async function countLeftJournals(
  dataDir: string,
  inventory: DiskInventory,
): Promise<number> {
  const count = await inventory.countJournals();
  return count > 0 && isServerLockHeld(dataDir) ? 0 : count;
}
