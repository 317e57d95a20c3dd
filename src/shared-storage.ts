import type { Config } from './config/config.ts';
import { SettingsError } from './config/settings-error.ts';
import type { DataFolderReport } from './data-folder/check.ts';
import { requireLedger } from './data-folder/existing-ledger.ts';
import { openExistingLedger } from './ledger/sqlite/database.ts';
import { SqliteLedger } from './ledger/sqlite/sqlite-ledger.ts';
import { SqliteMaintenance } from './ledger/sqlite/sqlite-maintenance.ts';
import type { Clock } from './lib/clock.ts';
import { silentLogger } from './lib/logger.ts';
import { takeServerLock } from './object-store/disk/folder-lock.ts';
import { openExistingRecords, openSharedBodies, openSweep } from './storage.ts';
import type { SweepReport } from './uploads/daily-sweep.ts';
import { check } from './uploads/maintenance/check.ts';
import type { CheckOptions, Repair } from './uploads/maintenance/check.ts';
import type { FoundFile, LedgerMaintenance } from './uploads/maintenance/ports.ts';
import type { UploadLedger } from './uploads/ports.ts';

/**
 * Gives up the bodies of a shared store that no upload has, also while gateways use it; their purge deletes them.
 * @throws SettingsError when there is no shared store
 */
export async function sweepStore(config: Config): Promise<SweepReport> {
  const { orphanAge, storeUrl } = config;
  if (storeUrl === undefined) {
    const text =
      'fsck --sweep is for the bodies of a shared store; fsck --repair does this in a data folder';
    throw new SettingsError([{ settings: ['storeUrl'], text }]);
  }
  const records = await openExistingRecords(config, silentLogger);
  const ledger = records?.ledger ?? openLedgerFile(config.dataDir);
  const { close, sweep } = await openSweep(config, storeUrl, silentLogger);
  try {
    return await sweep(ledger, orphanAge);
  } finally {
    close();
    await ledger.close();
  }
}

function openLedgerFile(dataDir: string): UploadLedger {
  requireLedger(dataDir);
  return new SqliteLedger(openExistingLedger(dataDir, 'write'));
}

/**
 * Compares a ledger with the bodies of a shared store. Gateways may be running, also for a repair if the ledger is in
 * PostgreSQL.
 * @throws SettingsError when there is no ledger; StoreUnavailable when the store does not answer; for a repair, when a
 *   gateway uses the ledger of the data folder
 */
export async function checkSharedStore(
  config: Config,
  storeUrl: string,
  options: CheckOptions & { readonly clock: Clock },
): Promise<DataFolderReport> {
  if (config.ledgerUrl !== undefined) return compare(config, storeUrl, options);
  requireLedger(config.dataDir);
  const lock = options.repair ? takeServerLock(config.dataDir) : undefined;
  try {
    return await compare(config, storeUrl, options);
  } finally {
    lock?.release();
  }
}

async function compare(
  config: Config,
  storeUrl: string,
  options: CheckOptions & { readonly clock: Clock },
): Promise<DataFolderReport> {
  const { clock, repair } = options;
  const { compact, ledger, maintenance } = await openLedger(config, repair ? 'write' : 'read');
  try {
    const { endUploads, inventory } = await openSharedBodies(config, storeUrl, silentLogger);
    try {
      if (repair) await endUploads();
      const giveUp = (file: FoundFile): Promise<Repair> => disown(ledger, file, clock);
      const recoverable = new Set<string>();
      const report = await check(
        { clock, giveUp, inventory, ledger, maintenance, recoverable },
        options,
      );
      return { ...report, journals: 0, compacted: repair ? await compact() : 'unneeded' };
    } finally {
      await inventory.close();
    }
  } finally {
    await ledger.close();
  }
}

interface OpenLedger {
  readonly ledger: UploadLedger;
  readonly maintenance: Pick<LedgerMaintenance, 'findDamage'>;
  readonly compact: () => ReturnType<LedgerMaintenance['compact']>;
}

async function openLedger(config: Config, mode: 'read' | 'write'): Promise<OpenLedger> {
  const records = await openExistingRecords(config, silentLogger);
  if (records !== undefined) {
    return { ...records, compact: () => Promise.resolve('unneeded') };
  }
  const database = openExistingLedger(config.dataDir, mode);
  const maintenance = new SqliteMaintenance(database);
  return {
    ledger: new SqliteLedger(database),
    maintenance,
    compact: () => maintenance.compact(),
  };
}

/** A body that no upload has is left to the purge, which gateways run. */
async function disown(
  ledger: Pick<UploadLedger, 'disown'>,
  { locator, size }: FoundFile,
  clock: Clock,
): Promise<Repair> {
  if (locator === undefined) {
    const failure = ', and is left as it is: remove it from the bucket if it is not needed';
    return { done: undefined, failure };
  }
  const count = await ledger.disown([{ locator, size }], clock.now());
  return { done: count > 0 ? 'given up: the next purge deletes it' : undefined };
}

/** What doctor looks at in a ledger that gateways share. */
export interface SharedLedgerReport {
  /** How far the clock of PostgreSQL is from that of this machine, in milliseconds. */
  readonly skew: number;
}

/**
 * Looks at a ledger that gateways share; they may be running.
 * @returns undefined when the ledger is in the data folder
 * @throws when PostgreSQL cannot be used, or has the schema of another version
 */
export async function inspectSharedLedger(
  config: Config,
  clock: Clock,
): Promise<SharedLedgerReport | undefined> {
  const { ledger, shared } = (await openExistingRecords(config, silentLogger)) ?? {};
  if (shared === undefined) return undefined;
  try {
    const before = clock.now();
    const theirs = await shared.now();
    return { skew: Math.max(0, before - theirs, theirs - clock.now()) };
  } finally {
    await ledger?.close();
  }
}

/**
 * Asks a shared store whether its bucket can be used.
 * @returns the name of the store; undefined when the bodies are in the data folder
 * @throws StoreUnavailable when it cannot
 */
export async function inspectStore(config: Config): Promise<string | undefined> {
  if (config.storeUrl === undefined) return undefined;
  const store = await openSharedBodies(config, config.storeUrl, silentLogger);
  try {
    await store.checkBucket();
  } finally {
    await store.inventory.close();
  }
  return store.name;
}
