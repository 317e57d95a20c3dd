import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { LEDGER_FILE, openExistingLedger } from '../ledger/sqlite/database.ts';
import { SqliteMaintenance } from '../ledger/sqlite/sqlite-maintenance.ts';
import { hasErrorCode } from '../lib/errno.ts';
import { LedgerTotals } from '../uploads/ledger-totals.ts';
import { findObstacle, openForReading } from './existing-ledger.ts';

/* Used by the commands. */
export { isServerLockHeld } from '../object-store/disk/folder-lock.ts';

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
