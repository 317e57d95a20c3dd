import type { Config } from './config/config.ts';
import { SettingsError } from './config/settings-error.ts';
import { requireLedger } from './existing-ledger.ts';
import { openExistingLedger } from './ledger/sqlite/database.ts';
import { SqliteLedger } from './ledger/sqlite/sqlite-ledger.ts';
import { silentLogger } from './lib/logger.ts';
import { openExistingRecords, openSweep } from './storage.ts';
import type { SweepReport } from './uploads/daily-sweep.ts';
import type { UploadLedger } from './uploads/ports.ts';

/**
 * For a command that works on a data folder as a whole.
 * @param advice - what to do instead
 * @throws SettingsError when the ledger or the bodies are not in the data folder
 */
export function requireOwnFolder({ ledgerUrl, storeUrl }: Config, advice: string): void {
  const { setting, what } =
    ledgerUrl === undefined
      ? ({ setting: 'storeUrl', what: 'bodies in a store' } as const)
      : ({ setting: 'ledgerUrl', what: 'ledger in PostgreSQL' } as const);
  if (ledgerUrl === undefined && storeUrl === undefined) return;
  const text = `this command works on a data folder, but these settings have the ${what}: ${advice}`;
  throw new SettingsError([{ settings: [setting], text }]);
}

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
