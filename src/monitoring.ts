import { statfs } from 'node:fs/promises';
import type { Config } from './config/config.ts';
import type { Listener } from './http/listener.ts';
import { CLIENT_VANISHED } from './http/request-record.ts';
import { REFUSAL_REASONS } from './refusals/refusal-reason.ts';
import { faultableOperations as iotOperations } from './iot/fault-codes.ts';
import { monotonicClock, wallClock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import { packageVersion } from './lib/version.ts';
import { GatewayMetrics } from './metrics/gateway-metrics.ts';
import type { KnownNames } from './metrics/labels.ts';
import type { DiskUse, MetricSources } from './metrics/sources.ts';
import type { ReadinessChecks } from './ops/readiness.ts';
import { LedgerClock } from './ops/ledger-clock.ts';
import { Readiness } from './ops/readiness.ts';
import { faultableOperations as ossOperations } from './oss/fault-codes.ts';
import type { LedgerTotals } from './uploads/ledger-totals.ts';
import type { ObjectStore, UploadLedger } from './uploads/ports.ts';
import type { SharedState } from './uploads/shared-state.ts';

/** How long the check of a ledger may take that other gateways use, in milliseconds. */
const SHARED_LIMIT_MS = 2000;

/** What is monitored. */
export interface MonitoredParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly ledger: UploadLedger;
  readonly store: ObjectStore;
  /** Undefined when no other gateway uses the ledger. */
  readonly shared: SharedState | undefined;
  /** Counts what the ledger has. */
  readonly totals: LedgerTotals;
  /** Unix milliseconds, by the clock of the gateway. */
  readonly now: () => number;
}

/** What monitoring asks a gateway. */
export interface Monitoring {
  readonly readiness: Readiness;
  /** Undefined when no other gateway uses the ledger. */
  readonly ledgerClock: LedgerClock | undefined;
  /** Undefined when they are off. */
  readonly metrics: GatewayMetrics | undefined;
  /** Add each listener of the gateway. */
  readonly listeners: Set<Listener>;
}

/** Creates what monitoring asks a gateway. */
export function createMonitoring(parts: MonitoredParts): Monitoring {
  const { config, ledger, logger, shared, store } = parts;
  const ledgerClock = shared && new LedgerClock(shared, wallClock, logger);
  const checks: ReadinessChecks = {
    ledger: () => ledger.requireWritable(),
    ...storeChecks(store),
    ...(ledgerClock && { clock: () => ledgerClock.requireSame() }),
  };
  const limit = shared === undefined ? undefined : SHARED_LIMIT_MS;
  const readiness = new Readiness(checks, logger, monotonicClock, limit);
  const listeners = new Set<Listener>();
  const known = knownNames();
  const metrics = config.metrics
    ? new GatewayMetrics({
        ...{ ledger, store, known },
        sources: createSources(parts, { readiness, ledgerClock }, listeners),
      })
    : undefined;
  return { readiness, ledgerClock, listeners, metrics };
}

/** A store in the network is named only: if it were a reason, all gateways would be taken out of service at once. */
function storeChecks(store: ObjectStore): Pick<ReadinessChecks, 'store' | 'failingSince'> {
  if (store.failingSince === undefined) return { store: async () => store.requireWritable?.() };
  return { store: () => Promise.resolve(), failingSince: () => store.failingSince?.() };
}

function createSources(
  { config, ledger, now, store, totals }: MonitoredParts,
  { ledgerClock, readiness }: Pick<Monitoring, 'ledgerClock' | 'readiness'>,
  listeners: ReadonlySet<Listener>,
): MetricSources {
  return {
    version: packageVersion(),
    node: process.versions.node,
    connectionsLimit: config.maxConnections,
    reserved: config.minFree,
    claimTtl: config.claimTtl,
    maxUpload: config.maxUpload,
    totals,
    now,
    connections: () => [...listeners].reduce((sum, { connections }) => sum + connections, 0),
    oldestStored: () => ledger.oldestStored(),
    disk: () => measureDisk(config.dataDir),
    ledgerSize: () => ledger.size(),
    backlog: () => store.backlog?.(),
    ledgerClockAhead: () => ledgerClock?.ahead,
    isStoreFailing: () => store.failingSince?.() !== undefined,
    isReady: async () => (await readiness.report()).problem === undefined,
  };
}

/** @returns the names that labels of metrics may have */
export function knownNames(): KnownNames {
  const [iot, oss] = [iotOperations(), ossOperations()];
  const codes = [...iot.values(), ...oss.values()].flatMap((operation) => operation.codes);
  return {
    operations: { iot: [...iot.keys()], oss: [...oss.keys(), 'Preflight'] },
    codes: [...new Set([...codes, CLIENT_VANISHED])],
    reasons: REFUSAL_REASONS,
  };
}

/** @returns undefined when there is no such folder */
export async function measureDisk(folder: string): Promise<DiskUse | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { free: bavail * bsize, size: blocks * bsize };
  } catch {
    // There may be no folder: ledger and store are then in memory.
    return undefined;
  }
}
