import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from './config/config.ts';
import type { Listener } from './http/listener.ts';
import { CLIENT_VANISHED } from './http/request-record.ts';
import { REFUSAL_REASONS } from './refusals/refusal-reason.ts';
import { faultableOperations as iotOperations } from './iot/fault-codes.ts';
import { monotonicClock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import { GatewayMetrics } from './metrics/gateway-metrics.ts';
import type { KnownNames } from './metrics/labels.ts';
import type { DiskUse, MetricSources } from './metrics/sources.ts';
import { Readiness } from './ops/readiness.ts';
import { faultableOperations as ossOperations } from './oss/fault-codes.ts';
import type { LedgerTotals } from './uploads/ledger-totals.ts';
import type { ObjectStore, UploadLedger } from './uploads/ports.ts';

/** What is monitored. */
export interface MonitoredParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly ledger: UploadLedger;
  readonly store: ObjectStore;
  /** Counts what the ledger has. */
  readonly totals: LedgerTotals;
  /** Unix milliseconds, by the clock of the gateway. */
  readonly now: () => number;
}

/** What monitoring asks a gateway. */
export interface Monitoring {
  readonly readiness: Readiness;
  /** Undefined when they are off. */
  readonly metrics: GatewayMetrics | undefined;
  /** Add each listener of the gateway. */
  readonly listeners: Set<Listener>;
}

/** Creates what monitoring asks a gateway. */
export function createMonitoring(parts: MonitoredParts): Monitoring {
  const { config, ledger, logger, store } = parts;
  const checks = {
    ledger: () => ledger.requireWritable(),
    store: async () => store.requireWritable?.(),
  };
  const readiness = new Readiness(checks, logger, monotonicClock);
  const listeners = new Set<Listener>();
  const known = knownNames();
  const metrics = config.metrics
    ? new GatewayMetrics({ ledger, known, sources: createSources(parts, readiness, listeners) })
    : undefined;
  return { readiness, listeners, metrics };
}

function createSources(
  { config, ledger, now, store, totals }: MonitoredParts,
  readiness: Readiness,
  listeners: ReadonlySet<Listener>,
): MetricSources {
  return {
    version: readVersion(),
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

function readVersion(): string {
  const text = readFileSync(join(__dirname, '..', 'package.json'), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}
