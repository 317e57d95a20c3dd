import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config/config.ts';
import { SettingsError } from './config/settings-error.ts';
import { copyCredentials, findDamage } from './data-folder/backup.ts';
import type { DataFolderCopy } from './data-folder/backup.ts';
import { recover } from './data-folder/check.ts';
import { requireLedger } from './data-folder/existing-ledger.ts';
import { copyTables } from './ledger/copy/copy-tables.ts';
import { LEDGER_USE, copied, copying, isUnfinished } from './ledger/copy/ledger-use.ts';
import { openExistingLedger } from './ledger/sqlite/database.ts';
import { SqliteLedger } from './ledger/sqlite/sqlite-ledger.ts';
import { SqliteMaintenance } from './ledger/sqlite/sqlite-maintenance.ts';
import { SqliteRows, createLedger } from './ledger/sqlite/sqlite-rows.ts';
import { flushFolder, writeDurably } from './lib/durable-files.ts';
import { randomIds } from './lib/ids.ts';
import { silentLogger } from './lib/logger.ts';
import { takeServerLock } from './object-store/disk/folder-lock.ts';
import { DiskInventory } from './object-store/disk/inventory.ts';
import { OBJECTS } from './object-store/disk/layout.ts';
import { makeWholeFolder } from './object-store/disk/whole-folder.ts';
import { ThreadHasher } from './object-store/hashing/thread-hasher.ts';
import { loadRowCopy, openRecords, openSharedBodies, requireSameStore } from './storage.ts';
import { backUp } from './uploads/maintenance/backup.ts';
import { copyBodies } from './uploads/maintenance/copy-bodies.ts';
import type { CopiedBodies } from './uploads/maintenance/copy-bodies.ts';
import type { BodyInventory } from './uploads/maintenance/ports.ts';
import type { SharedState } from './uploads/shared-state.ts';

/*
 * Copies a data folder into a ledger and a store that gateways share, and what they share into a data folder.
 */

/** How a copy is watched and stopped. */
export interface CopyOptions {
  /** When aborted, the copy throws the signal's reason; the next one goes on. */
  readonly signal?: AbortSignal;
  /** Receives how many bytes of bodies are done, and how many there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What was copied out of a data folder. */
export interface ExportReport extends CopiedBodies {
  /** Of the ledger. */
  readonly rows: number;
  /** An earlier export from the folder has ended, and nothing was done. */
  readonly wasDone: boolean;
}

const DONE: ExportReport = {
  ...{ uploads: 0, bytes: 0, copied: 0, rows: 0 },
  ...{ missing: [], differing: [], wasDone: true },
};

/** The URLs of what gateways share. */
interface Target {
  readonly ledgerUrl: string;
  readonly storeUrl: string;
}

/**
 * Copies a data folder into the ledger and the store of the settings. First all bodies, then all rows in one transaction:
 * a ledger is empty or complete at any moment, and no gateway starts with an empty one. When an export was killed, the next
 * one goes on.
 * @throws SettingsError when the folder has no ledger, or the settings do not name a ledger and a store; an Error when a
 *   server uses the folder, or something else the ledger or the store
 */
export async function exportDataFolder(
  config: Config,
  options: CopyOptions = {},
): Promise<ExportReport> {
  const { dataDir } = config;
  requireLedger(dataDir);
  const target = requireTarget(config);
  const lock = takeServerLock(dataDir);
  const database = openExistingLedger(dataDir, 'write');
  const ledger = new SqliteLedger(database);
  const inventory = new DiskInventory(dataDir, new ThreadHasher());
  try {
    await recover(dataDir, ledger);
    const shared = await openSharedBodies(config, target.storeUrl, silentLogger);
    const importer = shared.openImporter();
    try {
      const origin = loadOrCreateOrigin(dataDir);
      if (await reserveTarget({ config, target, origin, ledger, inventory: shared.inventory }))
        return DONE;
      const bodies = await copyBodies({ dataDir, ledger, inventory, importer, ...options });
      const { fillLedger } = await loadRowCopy();
      const rows = await fillLedger({ url: target.ledgerUrl }, origin, (rowTarget) =>
        copyTables(new SqliteRows(database), rowTarget, options.signal),
      );
      return { ...bodies, rows, wasDone: false };
    } finally {
      await importer.close();
      await shared.inventory.close();
    }
  } finally {
    await inventory.close();
    await ledger.close();
    lock.release();
  }
}

function requireTarget({ ledgerUrl, storeUrl }: Config): Target {
  if (ledgerUrl !== undefined && storeUrl !== undefined) return { ledgerUrl, storeUrl };
  const settings = [
    ...(ledgerUrl === undefined ? (['ledgerUrl'] as const) : []),
    ...(storeUrl === undefined ? (['storeUrl'] as const) : []),
  ];
  const text = 'is not given: expected where to copy the data folder, as the gateways will have it';
  throw new SettingsError(settings.map((setting) => ({ settings: [setting], text })));
}

const ORIGIN_FILE = 'export-id';

/** @returns what tells a data folder from others, so that an export that was killed is known to be its own */
function loadOrCreateOrigin(dataDir: string): string {
  const path = join(dataDir, ORIGIN_FILE);
  if (!existsSync(path)) {
    writeDurably(path, `${randomIds.locator()}\n`);
    flushFolder(dataDir);
  }
  return readFileSync(path, 'utf8').trim();
}

interface Reservation {
  readonly config: Config;
  readonly target: Target;
  readonly origin: string;
  readonly ledger: SqliteLedger;
  readonly inventory: Pick<BodyInventory, 'listFiles'>;
}

/**
 * Keeps the ledger for this export, unless it is in use.
 * @returns whether an earlier export from the same folder has ended
 */
async function reserveTarget({ config, target, origin, ...source }: Reservation): Promise<boolean> {
  const records = await openRecords(config, silentLogger);
  const { ledger, shared } = records;
  try {
    if (shared === undefined) throw new Error('the ledger of the settings is not shared');
    const use = await shared.find(LEDGER_USE);
    if (use === copied(origin)) return true;
    if (use === undefined) await requireUnused(target, source);
    await keepFor(shared, origin);
    await requireSameStore(config, records);
    return false;
  } finally {
    await ledger.close();
  }
}

async function keepFor(shared: SharedState, origin: string): Promise<void> {
  const use = await shared.agree(LEDGER_USE, copying(origin));
  if (use === copying(origin)) return;
  throw isUnfinished(use)
    ? new Error(
        'the export of another data folder into the ledger has not ended: run that one to its end, or give an empty database',
      )
    : ledgerInUse('gateways use the ledger');
}

/** @throws when the ledger has rows, or the store has bodies that are not those of the folder */
async function requireUnused(
  { ledgerUrl }: Target,
  { inventory, ledger }: Pick<Reservation, 'inventory' | 'ledger'>,
): Promise<void> {
  const { findUsedTable } = await loadRowCopy();
  const table = await findUsedTable({ url: ledgerUrl });
  if (table !== undefined) throw ledgerInUse(`the ledger has rows in ${table}`);
  for await (const { locator, path } of inventory.listFiles()) {
    if (locator !== undefined && (await ledger.hasBody(locator))) continue;
    throw new Error(
      `the store is in use: it has ${path}, which is not of this data folder; give a bucket or a prefix that nothing else uses`,
    );
  }
}

function ledgerInUse(why: string): Error {
  return new Error(`${why}: an export needs a database that nothing else uses, give an empty one`);
}

/** How many bodies are on their way from a store. */
const BODIES_AT_ONCE = 8;

/**
 * Copies what gateways share into a new data folder, while they may be running: the ledger as it is at one moment, and then
 * the bodies. If one of them was purged in between, the ledger is copied again. When a copy was killed, the next one with
 * the same target keeps its bodies.
 * @param target - a folder that does not exist yet, or is empty
 * @throws SettingsError when a package is missing; an Error when the target is not empty; the reason of the signal
 */
export async function backUpShared(
  config: Config,
  storeUrl: string,
  target: string,
  options: CopyOptions = {},
): Promise<DataFolderCopy> {
  const { dataDir, ledgerUrl } = config;
  if (ledgerUrl === undefined) requireLedger(dataDir);
  const { inventory } = await openSharedBodies(config, storeUrl, silentLogger);
  try {
    const copyTo = await prepareLedgerCopy(config, options.signal);
    return await makeWholeFolder(
      target,
      async (folder) => {
        const copiedBodies = new DiskInventory(folder, new ThreadHasher());
        try {
          const report = await backUp({
            ...{ maintenance: { copyTo }, inventory, folder, copiedBodies, isReadBack: true },
            ...{ atOnce: BODIES_AT_ONCE, ...options },
            openCopy: () => new SqliteLedger(openExistingLedger(folder, 'read')),
          });
          const credentials = ledgerUrl === undefined ? await copyCredentials(dataDir, folder) : [];
          return { ...report, damage: [...(await findDamage(folder)), ...credentials] };
        } finally {
          await copiedBodies.close();
        }
      },
      OBJECTS,
    );
  } finally {
    await inventory.close();
  }
}

/** @returns a function that writes a copy of the ledger into a folder, and replaces the one that it has made before */
async function prepareLedgerCopy(
  { dataDir, ledgerUrl: url }: Config,
  signal: AbortSignal | undefined,
): Promise<(folder: string) => Promise<void>> {
  if (url === undefined) return (folder) => copyFile(dataDir, folder);
  const { readSnapshot } = await loadRowCopy();
  return (folder) =>
    createLedger(folder, (target) =>
      readSnapshot({ url }, (source) => copyTables(source, target, signal)),
    );
}

async function copyFile(dataDir: string, folder: string): Promise<void> {
  const database = openExistingLedger(dataDir, 'read');
  try {
    await new SqliteMaintenance(database).copyTo(folder);
  } finally {
    await database.close();
  }
}
