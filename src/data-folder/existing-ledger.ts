import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { SettingsError } from '../config/settings-error.ts';
import type { Records } from '../ledger/records.ts';
import { LEDGER_FILE, openExistingLedger } from '../ledger/sqlite/database.ts';
import { SqliteLedger } from '../ledger/sqlite/sqlite-ledger.ts';
import { SqliteRefusals } from '../ledger/sqlite/sqlite-refusals.ts';
import { hasErrorCode } from '../lib/errno.ts';
import { silentLogger } from '../lib/logger.ts';
import { openExistingRecords } from '../storage.ts';

/** Opens the ledger of a data folder, or one that gateways share. @throws SettingsError when the folder has none */
export async function openForReading(
  config: Config,
): Promise<Required<Pick<Records, 'ledger' | 'refusals'>>> {
  const shared = await openExistingRecords(config, silentLogger);
  if (shared !== undefined) return shared;
  requireLedger(config.dataDir);
  const database = openExistingLedger(config.dataDir, 'read');
  return { ledger: new SqliteLedger(database), refusals: new SqliteRefusals(database) };
}

/** @throws SettingsError when a folder has no ledger that can be read */
export function requireLedger(dataDir: string): void {
  const problem = findObstacle(dataDir);
  if (problem === undefined) return;
  const text = `${dataDir} ${describeObstacle(dataDir, problem)}`;
  throw new SettingsError([{ settings: ['dataDir'], text }]);
}

/** @returns why the ledger of a folder cannot be read */
export function findObstacle(dataDir: string): unknown {
  try {
    accessSync(join(dataDir, LEDGER_FILE), constants.R_OK);
    return undefined;
  } catch (error) {
    return error;
  }
}

function describeObstacle(dataDir: string, error: unknown): string {
  if (hasErrorCode(error, 'EACCES')) {
    return 'cannot be read by this user. Run the command as the user of the gateway, or give its --endpoint';
  }
  const problem = existsSync(dataDir)
    ? 'is not the data folder of a gateway: it holds no ledger'
    : 'does not exist: expected the data folder of a gateway';
  return `${problem}. Give the folder of its server`;
}
