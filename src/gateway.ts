import type { RequestListener } from 'node:http';
import type { Quota } from './accounts/ports.ts';
import { reloadKeys } from './accounts/keys.ts';
import { limitRules } from './accounts/limit-rules.ts';
import { createApp } from './app.ts';
import type { Config, GatewayOptions } from './config/config.ts';
import { parseConfig } from './config/config.ts';
import { createFaults } from './fault-codes.ts';
import type { FaultCodes } from './fault-codes.ts';
import type { FaultRegistry } from './faults/fault-registry.ts';
import { RefusalLog } from './refusals/refusal-log.ts';
import { RetainedNonces } from './iot/retained-nonces.ts';
import { monotonicClock } from './lib/clock.ts';
import { randomIds } from './lib/ids.ts';
import { loadModule } from './lib/load-module.ts';
import type { Monitoring } from './monitoring.ts';
import { createRunning } from './running.ts';
import type { Running } from './running.ts';
import { createObservation } from './observation.ts';
import type { Observation } from './observation.ts';
import type { Watching } from './operator/watching.ts';
import { NoticeLog } from './oss/fidelity.ts';
import { createFormJudge, createPlatform } from './platform.ts';
import type { TestMode, TestModeDependencies } from './test-mode.ts';
import type * as TestModeModule from './test-mode.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';
import type { LimitRules } from './uploads/limits.ts';
import type { PurgeReport } from './uploads/purge-bodies.ts';
import { createPurge, pruneNonces } from './uploads/purge.ts';
import type { Uploads } from './uploads/uploads.ts';
import { createUploads } from './uploads/uploads.ts';

import type { GatewayParts } from './gateway-parts.ts';
import { closeAll, openGateway } from './open-gateway.ts';
import type { Closer, Opened } from './open-gateway.ts';

/* Types for the other entry points: the commands, the test kit and the multer storage. */
export type { GatewayParts } from './gateway-parts.ts';
export { createFaults } from './fault-codes.ts';
export type { FaultCodes } from './fault-codes.ts';
export type { FaultRegistry, Faults } from './faults/fault-registry.ts';
export { createQuota } from './iot/quota.ts';
export { createMemoryRecords } from './ledger/sqlite/records.ts';
export type { Records } from './ledger/records.ts';
export { NoticeLog } from './oss/fidelity.ts';
export { RefusalLog } from './refusals/refusal-log.ts';
export type { Refusal } from './refusals/refusal-log.ts';
export type { Notice } from './oss/fidelity.ts';
export type { Observer, PurgingBody } from './uploads/ports.ts';
export type { FirmwarePackage } from './uploads/firmware-package.ts';
export type { DepositedFile } from './uploads/deposit.ts';
export type { Snapshot } from './uploads/snapshot.ts';
export type { StoredObject } from './uploads/upload.ts';

/** A gateway. It neither listens nor schedules anything before `listen` and `startJobs` are called. */
export interface Gateway extends Running, AsyncDisposable {
  /** Handles every request; mount it, pass it to supertest, or call `listen`. */
  readonly app: RequestListener;
  readonly config: Config;
  /** Its uploads and packages, for code in the same process. */
  readonly uploads: Uploads;
  /** The file with the generated access keys; undefined when the settings have all keys. */
  readonly credentialsFile: string | undefined;
  /** Runs the purge once, as the job does. */
  purgeUnclaimed(): Promise<PurgeReport>;
  /**
   * Reads the accounts file and the generated bucket keys again. Calls that are already admitted continue with the old
   * ones.
   * @throws when a file cannot be used; all old accounts and keys stay in use
   */
  reloadAccounts(): void;
}

/**
 * Creates a gateway: opens its data folder, reconciles after a crash, and composes its parts.
 * @throws ConfigError for invalid options and unusable files; an Error when another server uses the data folder
 */
export async function createGateway(
  options: GatewayOptions = {},
  parts: GatewayParts = {},
): Promise<Gateway> {
  const config = parseConfig(options);
  const closers: Closer[] = [];
  try {
    return composeGateway(config, parts, await openGateway(config, parts, closers), closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

function composeGateway(
  config: Config,
  parts: GatewayParts,
  { events, jobs, keys, monitoring, quota, records, uploads, watching }: Opened,
  closers: Closer[],
): Gateway {
  const monotonic = parts.monotonicClock ?? monotonicClock;
  const nonces = new RetainedNonces(records.nonces, uploads.clock, monotonic);
  const watched = observable(config, parts);
  const observation = createObservation({
    ...{ config, parts, uploads, log: watched.refusals, store: records.refusals },
    ...{ metrics: monitoring.metrics, hub: watching.hub, meter: watching.meter },
  });
  closers.push(observation.close);
  const reloadAccounts = (): void => {
    reloadKeys(config, keys);
    renewLimits(uploads, limitRules(config, keys.accounts));
  };
  const upkeep = [observation.prune, () => watching.meter.prune(), ...jobs];
  const { ledgerClock } = monitoring;
  const requireClock = ledgerClock && (() => ledgerClock.requireSameNow());
  const purge = createPurge(uploads, nonces, upkeep, requireClock);
  const view = createUploads(uploads, () => keys.accounts.all.map(({ id }) => id));
  const { app, ownPorts, tests } = composeApp(
    {
      ...{ config, parts, keys, events, nonces, watched, observation, monitoring, watching, quota },
      ...{ deps: uploads, uploads: view, purge: purge.run },
      reload: () => {
        // First, because it changes nothing when it fails.
        running.reloadCertificate();
        reloadAccounts();
      },
    },
    async () => {
      await pruneNonces(records.nonces, Number.MAX_SAFE_INTEGER);
      await observation.forget();
      await watching.meter.forget();
    },
  );
  const opened = { ownPorts, listeners: monitoring.listeners, observe: observation.observeRefused };
  const entrances = { opened, meter: watching.meter };
  const running = createRunning(
    { app, config, uploads, monitoring, purge: purge.run, ...entrances },
    async (stops) => {
      tests?.end();
      watching.end();
      await Promise.all([purge.stop, ...stops].map((stop) => stop()));
      await closeAll(closers);
    },
  );
  return {
    ...running,
    app,
    config,
    uploads: view,
    credentialsFile: keys.credentialsFile,
    reloadAccounts,
    purgeUnclaimed: purge.run,
    [Symbol.asyncDispose]: () => running.close(),
  };
}

interface Watched {
  readonly faults: FaultRegistry<FaultCodes> | undefined;
  readonly notices: NoticeLog;
  readonly refusals: RefusalLog;
}

/** @returns what tests and operators look at */
function observable({ testMode }: Config, parts: GatewayParts): Watched {
  const { notices = new NoticeLog(), refusals = new RefusalLog() } = parts;
  return { notices, refusals, faults: parts.faults ?? (testMode ? createFaults() : undefined) };
}

interface Composed extends Omit<
  TestModeDependencies,
  keyof Watched | 'clockMoved' | 'forget' | 'handle'
> {
  readonly parts: GatewayParts;
  readonly nonces: RetainedNonces;
  readonly watched: Watched;
  readonly quota: Quota;
  readonly observation: Observation;
  readonly monitoring: Monitoring;
  readonly watching: Watching;
  /** Reads every file again that may change while the gateway runs. */
  readonly reload: () => void;
}

/** @param forgetCalls - forgets the nonces of past calls, the refusals and the usage, for a reset */
function composeApp(
  { monitoring, nonces, observation, parts, quota, watched, watching, ...composed }: Composed,
  forgetCalls: () => Promise<void>,
): { app: RequestListener; ownPorts: Set<number>; tests: TestMode | undefined } {
  const { config, deps: uploads, keys } = composed;
  const tests = config.testMode
    ? loadTestMode()({
        ...composed,
        ...watched,
        clockMoved: watching.clockMoved,
        handle: (...exchange) => app(...exchange),
        forget: () => {
          quota.clear?.();
          return forgetCalls();
        },
      })
    : undefined;
  const ownPorts = new Set<number>();
  const { recording, refusals } = observation;
  const { wallClock: machine } = recording;
  const app = createApp({
    ...{ config, ownPorts, keys, uploads, nonces, quota, recording },
    ...watched,
    ...monitoring,
    refusals,
    api: {
      ...{ ...composed, nonces, recording, hub: watching.hub, kept: observation.kept },
      reporter: refusals,
      meter: watching.meter,
      platform: createPlatform(keys, uploads),
      judge: createFormJudge({
        ...{ config, bucketKey: keys.bucketKey, clock: uploads.clock, wallClock: machine },
        ownPorts,
        isAccountKey: (id) => keys.accounts.find(id) !== undefined,
      }),
    },
    tests: tests?.controls,
    gatewayId: parts.gatewayId ?? randomIds.locator(),
    wallClock: machine,
  });
  return { app, ownPorts, tests };
}

/** Loads the test mode, which is off in most gateways. */
function loadTestMode(): typeof TestModeModule.createTestMode {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return loadModule<typeof TestModeModule>(() => require('./test-mode'), 'createTestMode')
    .createTestMode;
}

/** Uses the limits of accounts that were read again. */
function renewLimits({ limits, logger }: UploadDependencies, rules: LimitRules | undefined): void {
  limits?.use(rules).catch((error: unknown) => {
    logger.error({ err: error }, 'the limits cannot be used');
  });
}
