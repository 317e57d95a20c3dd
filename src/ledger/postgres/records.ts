import type { Logger } from '../../lib/logger.ts';
import type { LedgerMaintenance } from '../../uploads/maintenance/ports.ts';
import type { Records } from '../records.ts';
import { Connections } from './connections.ts';
import type { PostgresAddress } from './connections.ts';
import { migrate, requireCurrentSchema } from './migrate.ts';
import { PostgresLedger } from './postgres-ledger.ts';
import { PostgresMaintenance } from './postgres-maintenance.ts';
import { PostgresNonces } from './postgres-nonces.ts';
import { PostgresQuota } from './postgres-quota.ts';
import { PostgresRefusals } from './postgres-refusals.ts';
import { PostgresState } from './postgres-state.ts';
import { PostgresUsage } from './postgres-usage.ts';

/** Opens the records of a server, and brings the schema up to date. */
export async function openPostgresRecords(
  address: PostgresAddress,
  logger: Logger,
): Promise<Required<Records>> {
  await migrate(address);
  return connect(address, logger);
}

/** What a command has of a ledger that gateways share. */
export interface ExistingRecords extends Required<Records> {
  readonly maintenance: Pick<LedgerMaintenance, 'findDamage'>;
}

/**
 * Opens the records for a command, without migrating them: servers may be running with this schema.
 * @throws when the schema is older than that of this program, or too new
 */
export async function openExistingPostgresRecords(
  address: PostgresAddress,
  logger: Logger,
): Promise<ExistingRecords> {
  await requireCurrentSchema(address);
  return { ...connect(address, logger), maintenance: new PostgresMaintenance(address) };
}

function connect(address: PostgresAddress, logger: Logger): Required<Records> {
  const connections = new Connections(address, logger);
  return {
    ledger: new PostgresLedger(connections, logger),
    nonces: new PostgresNonces(connections),
    refusals: new PostgresRefusals(connections),
    usage: new PostgresUsage(connections),
    quota: new PostgresQuota(connections),
    shared: new PostgresState(connections),
  };
}
