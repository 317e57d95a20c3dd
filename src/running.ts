import type { RequestListener } from 'node:http';
import type { Config } from './config/config.ts';
import { findExpiry, readTlsFiles } from './config/tls-files.ts';
import type { TlsFiles } from './config/tls-files.ts';
import type { Listener } from './http/listener.ts';
import { startListener } from './http/listener.ts';
import type { RequestObserver } from './http/request-record.ts';
import type * as PurgeJobModule from './jobs/purge-job.ts';
import { wallClock } from './lib/clock.ts';
import { randomFraction } from './lib/ids.ts';
import { loadModule } from './lib/load-module.ts';
import type { Logger } from './lib/logger.ts';
import { setTimeout } from './lib/timers.ts';
import type { UsageMeter } from './operator/usage.ts';
import { loadOperatorApp } from './ops/load-operator-app.ts';
import type { Monitoring } from './monitoring.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';
import type { PurgeReport } from './uploads/purge-bodies.ts';

/** Gateways that share a ledger purge at different moments, in milliseconds after the slot. */
const MAX_PURGE_DELAY_MS = 5000;

/** What starts and stops. */
export interface Running {
  /** Listens on the configured address. */
  listen(): Promise<Listener>;
  /** Starts to run the purge by its cron expression, and to sample the usage for the operator API. */
  startJobs(): void;
  /**
   * Reads the certificate and its key again. New connections get the new certificate; those that are open go on.
   * @throws when one of the files cannot be used; the old certificate stays in use
   */
  reloadCertificate(): void;
  /** Stops listening and all jobs, waits for running requests, and releases the data folder. Idempotent. */
  close(): Promise<void>;
}

interface RunningDependencies {
  readonly app: RequestListener;
  readonly config: Config;
  readonly uploads: Pick<UploadDependencies, 'logger' | 'observer'>;
  readonly purge: () => Promise<PurgeReport>;
  readonly monitoring: Pick<Monitoring, 'readiness' | 'ledgerClock'>;
  /** Samples the usage while jobs run. */
  readonly meter: Pick<UsageMeter, 'start'>;
  /** Gets what is opened. */
  readonly opened: {
    readonly ownPorts: Set<number>;
    readonly listeners: Set<Listener>;
    /** Is called for each connection that is refused. */
    readonly observe: RequestObserver;
  };
}

/**
 * Creates what starts and stops.
 * @param close - stops everything that was started, all at the same time, so that no more connections are accepted;
 *   then closes the rest
 */
export function createRunning(
  {
    app,
    config,
    meter,
    monitoring: { ledgerClock, readiness },
    opened,
    purge,
    uploads: { logger, observer },
  }: RunningDependencies,
  close: (started: readonly (() => Promise<void>)[]) => Promise<void>,
): Running {
  const started: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    readiness.stop();
    // The balancer must notice it while connections are still accepted.
    if (opened.listeners.size > 0 && config.drainDelay > 0) {
      await new Promise((resolve) => setTimeout(resolve, config.drainDelay));
    }
    await close(started);
  };
  return {
    listen: async () => {
      // Otherwise the first health check would wait for it.
      loadOperatorApp();
      const tls = loadCertificate(config, logger);
      const listener = await startListener(app, { ...config, tls }, logger, opened.observe);
      opened.ownPorts.add(listener.port);
      opened.listeners.add(listener);
      started.push(() => listener.close());
      return listener;
    },
    reloadCertificate: () => {
      const pair = loadCertificate(config, logger);
      if (pair === undefined) return;
      for (const listener of opened.listeners) listener.replaceCertificate(pair);
    },
    startJobs: () => {
      const job = loadPurgeJob()(config.purgeCron, purge, {
        onSkipped: () => observer.purgeRan?.({ outcome: 'skipped', milliseconds: 0 }),
        delay: () => (config.ledgerUrl === undefined ? 0 : MAX_PURGE_DELAY_MS * randomFraction()),
      });
      if (ledgerClock !== undefined) started.push(ledgerClock.start());
      started.push(() => job.stop());
      started.push(meter.start(() => job.dueIn()));
    },
    close: () => (closing ??= stop()),
  };
}

/** Loads what runs jobs: tests, and programs that embed a gateway, often start none. */
function loadPurgeJob(): typeof PurgeJobModule.startPurgeJob {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return loadModule<typeof PurgeJobModule>(() => require('./jobs/purge-job'), 'startPurgeJob')
    .startPurgeJob;
}

/** Reads the certificate, and warns when clients will refuse it. */
function loadCertificate(config: Config, logger: Logger): TlsFiles | undefined {
  const files = readTlsFiles(config);
  const expiry = files && findExpiry(files, wallClock.now());
  if (expiry !== undefined) logger.warn({ tlsCert: config.tlsCert }, `the certificate ${expiry}`);
  return files;
}
