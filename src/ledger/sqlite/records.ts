import type { Records } from '../records.ts';
import type { LedgerDatabase } from './database.ts';
import { openLedgerDatabase } from './database.ts';
import { openDiskSpace } from './disk-space.ts';
import { SqliteLedger } from './sqlite-ledger.ts';
import { SqliteNonces } from './sqlite-nonces.ts';
import { SqliteRefusals } from './sqlite-refusals.ts';
import { SqliteUsage } from './sqlite-usage.ts';

/** Opens the records of a data folder. @param minFree - bytes of the disk to keep free */
export function openRecords({
  dataDir,
  minFree,
}: {
  readonly dataDir: string;
  readonly minFree: number;
}): Records {
  return toRecords(openLedgerDatabase(dataDir, openDiskSpace(dataDir, minFree)));
}

/** Creates a ledger and its nonces in memory. */
export function createMemoryRecords(): Records {
  return toRecords(openLedgerDatabase(undefined));
}

function toRecords(database: LedgerDatabase): Records {
  return {
    ledger: new SqliteLedger(database),
    nonces: new SqliteNonces(database),
    refusals: new SqliteRefusals(database),
    usage: new SqliteUsage(database),
  };
}
