import { open, readFile } from 'node:fs/promises';
import { credentialsPath, readCredentials } from '../accounts/credentials-file.ts';
import { openExistingLedger } from '../ledger/sqlite/database.ts';
import { SqliteLedger } from '../ledger/sqlite/sqlite-ledger.ts';
import { SqliteMaintenance } from '../ledger/sqlite/sqlite-maintenance.ts';
import { hasErrorCode } from '../lib/errno.ts';
import { PRIVATE_FILE } from '../lib/private-files.ts';
import { quoted } from '../lib/quoted.ts';
import { DiskInventory } from '../object-store/disk/inventory.ts';
import { makeWholeFolder } from '../object-store/disk/whole-folder.ts';
import { ThreadHasher } from '../object-store/hashing/thread-hasher.ts';
import { backUp } from '../uploads/maintenance/backup.ts';
import type { BackupReport } from '../uploads/maintenance/backup.ts';
import { countLeftJournals } from './check.ts';
import { requireLedger } from './existing-ledger.ts';

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
