import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LEDGER_FILE, openExistingLedger } from './ledger/sqlite/database.ts';
import { SqliteMaintenance } from './ledger/sqlite/sqlite-maintenance.ts';
import { tryServerLock } from './object-store/disk/folder-lock.ts';

/** The state of the ledger of a data folder. */
export interface LedgerReport {
  /** Of its file, in bytes. */
  readonly bytes: number;
  /** Of its write-ahead log, in bytes. */
  readonly logBytes: number;
  /** One line for each damaged place. */
  readonly damage: readonly string[];
}

/**
 * Looks at the ledger of a data folder; its server may be running.
 * @returns undefined when there is none
 * @throws when it cannot be opened, or has the schema of another version
 */
export async function inspectLedger(dataDir: string): Promise<LedgerReport | undefined> {
  const path = join(dataDir, LEDGER_FILE);
  if (!existsSync(path)) return undefined;
  const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  // Before it is opened, which begins a new log when the server is stopped.
  const [bytes, logBytes] = [sizeOf(path), sizeOf(`${path}-wal`)];
  const ledger = openExistingLedger(dataDir, 'read');
  try {
    return { bytes, logBytes, damage: await new SqliteMaintenance(ledger).findDamage() };
  } finally {
    await ledger.close();
  }
}

/** @returns whether a server uses a data folder */
export function isInUse(dataDir: string): boolean {
  // Only a server creates the file of the lock, so that it belongs to the user of the server.
  if (!existsSync(join(dataDir, 'server.lock'))) return false;
  const lock = tryServerLock(dataDir);
  lock?.release();
  return lock === undefined;
}
