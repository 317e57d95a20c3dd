import type { RequestListener } from 'node:http';
import type { Account } from './accounts/accounts.ts';
import type { Keys } from './accounts/keys.ts';
import { reloadKeys, resolveKeys } from './accounts/keys.ts';
import { limitRules } from './accounts/limit-rules.ts';
import type { Quota } from './accounts/ports.ts';
import { useSettingFiles } from './accounts/setting-files.ts';
import { createApp } from './app.ts';
import type { Config, GatewayOptions } from './config/config.ts';
import { parseConfig } from './config/config.ts';
import { createFaults } from './fault-codes.ts';
import type { FaultCodes } from './fault-codes.ts';
import type { FaultRegistry } from './faults/fault-registry.ts';
import { RefusalLog } from './refusals/refusal-log.ts';
import { createQuota } from './iot/quota.ts';
import { RetainedNonces } from './iot/retained-nonces.ts';
import { openRecords } from './ledger/sqlite/records.ts';
import type { Records } from './ledger/sqlite/records.ts';
import type { Clock } from './lib/clock.ts';
import { monotonicClock, wallClock } from './lib/clock.ts';
import type { Ids } from './lib/ids.ts';
import { randomIds, sequentialIds } from './lib/ids.ts';
import type { Logger } from './lib/logger.ts';
import { silentLogger } from './lib/logger.ts';
import { DiskObjectStore } from './object-store/disk/disk-object-store.ts';
import { takeServerLock } from './object-store/disk/folder-lock.ts';
import { ThreadHasher } from './object-store/hashing/thread-hasher.ts';
import { createMonitoring } from './monitoring.ts';
import type { Monitoring } from './monitoring.ts';
import { createRunning } from './running.ts';
import type { Running } from './running.ts';
import { createObservation } from './observation.ts';
import type { Observation } from './observation.ts';
import { NoticeLog } from './oss/fidelity.ts';
import { adjustableClock, createTestMode, requireFreshIds } from './test-mode.ts';
import type { TestMode, TestModeDependencies } from './test-mode.ts';
import { ActiveUploads } from './uploads/active-uploads.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';
import { combineObservers } from './uploads/observers.ts';
import { UploadLimits } from './uploads/limits.ts';
import type { LimitRules } from './uploads/limits.ts';
import type { ObjectStore, Observer, UploadLedger } from './uploads/ports.ts';
import type { PurgeReport } from './uploads/purge.ts';
import { createPurge, pruneNonces } from './uploads/purge.ts';
import { reconcile } from './uploads/reconcile.ts';
import { UploadEvents } from './uploads/upload-events.ts';
import { warnOfUnknownOwners } from './uploads/unknown-owners.ts';
import type { Uploads } from './uploads/uploads.ts';
import { createUploads } from './uploads/uploads.ts';

/* Types for the other entry points: the commands, the test kit and the multer storage. */
export { createFaults } from './fault-codes.ts';
export type { FaultCodes } from './fault-codes.ts';
export type { FaultRegistry, Faults } from './faults/fault-registry.ts';
export { createQuota } from './iot/quota.ts';
export { createMemoryRecords } from './ledger/sqlite/records.ts';
export type { Records } from './ledger/sqlite/records.ts';
export { NoticeLog } from './oss/fidelity.ts';
export { RefusalLog } from './refusals/refusal-log.ts';
export type { Refusal } from './refusals/refusal-log.ts';
export type { Notice } from './oss/fidelity.ts';
export type { Observer, PurgingBody } from './uploads/ports.ts';
export type { FirmwarePackage } from './uploads/firmware-package.ts';
export type { DepositedFile } from './uploads/deposit.ts';
export type { Snapshot } from './uploads/snapshot.ts';
export type { StoredObject } from './uploads/upload.ts';

/** Parts that replace the gateway's own. */
export interface GatewayParts {
  readonly clock?: Clock;
  /** The clock by which clients date their calls; differs from `clock` when that one is moved by hand. */
  readonly wallClock?: Clock;
  /** Measures real time; never goes back, and cannot be set. */
  readonly monotonicClock?: Clock;
  readonly ids?: Ids;
  readonly logger?: Logger;
  /** Are called after each event, in their order. */
  readonly observers?: readonly Observer[];
  /** A ledger and its nonces. Absent: they are kept in the data folder. */
  readonly records?: Records;
  readonly store?: ObjectStore;
  readonly quota?: Quota;
  /** Faults that a test injects: see `createFaults`. */
  readonly faults?: FaultRegistry<FaultCodes>;
  /** Keeps the notices about requests that OSS would treat differently. */
  readonly notices?: NoticeLog;
  /** Keeps the refused requests. */
  readonly refusals?: RefusalLog;
  /** Distinguishes it from other gateways in `/_gateway/health/live`. Absent: generated. */
  readonly gatewayId?: string;
  /** Counts from the start, and measures the process, too. Absent: counting begins when the metrics are first read. */
  readonly measureProcess?: boolean;
  /** The accounts that may call the API, instead of those of the settings. */
  readonly accounts?: readonly Account[];
}

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
    const { events, keys, monitoring, records, uploads } = await open(config, parts, closers);
    const accountIds = (): string[] => keys.accounts.all.map(({ id }) => id);
    const monotonic = parts.monotonicClock ?? monotonicClock;
    const nonces = new RetainedNonces(records.nonces, uploads.clock, monotonic);
    const watched = observable(config, parts);
    const observation = createObservation({
      ...{ config, parts, uploads, log: watched.refusals, store: records.refusals },
      metrics: monitoring.metrics,
    });
    closers.push(observation.close);
    const purge = createPurge(uploads, nonces, observation.prune);
    const view = createUploads(uploads, accountIds);
    const { app, ownPorts, tests } = composeApp(
      {
        ...{ config, parts, keys, events, nonces, watched, observation, monitoring },
        ...{ deps: uploads, uploads: view, purge: purge.run },
      },
      async () => {
        await pruneNonces(records.nonces, Number.MAX_SAFE_INTEGER);
        await observation.forget();
      },
    );
    const opened = {
      ownPorts,
      listeners: monitoring.listeners,
      observe: observation.observeRefused,
    };
    const running = createRunning(
      { app, config, uploads, purge: purge.run, opened },
      async (stops) => {
        tests?.end();
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
      reloadAccounts: () => {
        reloadKeys(config, keys);
        renewLimits(uploads, limitRules(config, keys.accounts));
      },
      purgeUnclaimed: purge.run,
      [Symbol.asyncDispose]: () => running.close(),
    };
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

interface Opened {
  readonly records: Records;
  readonly keys: Keys;
  readonly events: UploadEvents;
  readonly monitoring: Monitoring;
  readonly uploads: UploadDependencies;
}

/** Opens the data folder, and reconciles after a crash. @param closers - gets what closes it */
async function open(config: Config, parts: GatewayParts, closers: Closer[]): Promise<Opened> {
  const accounts = useSettingFiles(config, parts.accounts);
  closers.push(lockFolder(config, parts));
  const records = parts.records ?? openRecords(config);
  const { ledger } = records;
  closers.push(() => ledger.close());
  await requireFreshIds(config, ledger);
  const store = parts.store ?? (await openStore(config, parts.logger));
  closers.push(() => store.close());
  const keys = resolveKeys(config, accounts);
  const events = new UploadEvents();
  const { logger = silentLogger } = parts;
  const now = (): number => uploads.clock.now();
  const monitoring = createMonitoring({ config, logger, ledger, store, now });
  const observers = ownObservers(config, events, monitoring);
  const uploads = composeUploads(config, parts, { ledger, store, observers }, keys);
  if (parts.measureProcess === true) await monitoring.metrics?.start(true);
  closers.push(() => uploads.activeUploads.drain(config.grace));
  logger.info(await reconcile(uploads), 'checked unfinished uploads');
  await warnOfUnknownOwners(
    uploads,
    keys.accounts.all.map(({ id }) => id),
  );
  await uploads.limits?.use(limitRules(config, keys.accounts));
  return { records, keys, events, monitoring, uploads };
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

interface Composed extends Omit<TestModeDependencies, keyof Watched | 'forget' | 'handle'> {
  readonly parts: GatewayParts;
  readonly nonces: RetainedNonces;
  readonly watched: Watched;
  readonly observation: Observation;
  readonly monitoring: Monitoring;
}

/** @param forgetCalls - forgets the nonces of past calls and the refusals, for a reset */
function composeApp(
  { monitoring, nonces, observation, parts, watched, ...composed }: Composed,
  forgetCalls: () => Promise<void>,
): { app: RequestListener; ownPorts: Set<number>; tests: TestMode | undefined } {
  const { config, deps: uploads, keys } = composed;
  const quota = parts.quota ?? createQuota(parts.monotonicClock ?? monotonicClock);
  const tests = createTestMode({
    ...composed,
    ...watched,
    handle: (...exchange) => app(...exchange),
    forget: () => {
      quota.clear?.();
      return forgetCalls();
    },
  });
  const ownPorts = new Set<number>();
  const { recording, refusals } = observation;
  const app = createApp({
    ...{ config, ownPorts, keys, uploads, nonces, quota, recording },
    ...watched,
    ...monitoring,
    refusals,
    tests: tests?.controls,
    gatewayId: parts.gatewayId ?? randomIds.locator(),
    wallClock: recording.wallClock,
  });
  return { app, ownPorts, tests };
}

type Closer = () => void | Promise<void>;

/** Closes in the reverse order of opening. */
async function closeAll(closers: Closer[]): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
}

/** Locks the data folder against other gateways, unless both ledger and store are given. */
function lockFolder({ dataDir }: Config, { records, store }: GatewayParts): Closer {
  if (records && store) return () => undefined;
  const lock = takeServerLock(dataDir);
  return () => {
    lock.release();
  };
}

function openStore({ dataDir, minFree }: Config, logger?: Logger): Promise<ObjectStore> {
  return DiskObjectStore.open(dataDir, new ThreadHasher(), minFree, logger);
}

function ownObservers(
  { testMode }: Config,
  events: UploadEvents,
  { metrics }: Monitoring,
): Observer[] {
  return [...(testMode ? [events.observer] : []), ...(metrics ? [metrics.observer] : [])];
}

/** Uses the limits of accounts that were read again. */
function renewLimits({ limits, logger }: UploadDependencies, rules: LimitRules | undefined): void {
  limits?.use(rules).catch((error: unknown) => {
    logger.error({ err: error }, 'the limits cannot be used');
  });
}

function composeUploads(
  config: Config,
  parts: GatewayParts,
  {
    ledger,
    observers: own,
    store,
  }: { ledger: UploadLedger; store: ObjectStore; observers: readonly Observer[] },
  { bucketKey }: Keys,
): UploadDependencies {
  const { clock = wallClock, logger = silentLogger, observers = [] } = parts;
  const rates = createQuota(parts.monotonicClock ?? monotonicClock);
  return {
    ledger,
    store,
    clock: config.testMode ? adjustableClock(config, clock) : clock,
    ids: parts.ids ?? (config.testIds ? sequentialIds() : randomIds),
    logger,
    observer: combineObservers([...observers, ...own], logger),
    policySigner: {
      get accessKeyId() {
        return bucketKey.accessKeyId;
      },
      sign: (policy) => bucketKey.signPostV1(policy),
    },
    activeUploads: new ActiveUploads(),
    limits: new UploadLimits(ledger, (...turn) => rates.take(...turn)),
    rules: {
      bucket: config.bucket,
      policyTtl: config.policyTtl,
      claimTtl: config.claimTtl,
      maxUploadBytes: config.maxUpload,
      maxPackages: config.maxPackages,
      claimedRetention: config.claimedRetention,
      issuedRetention: config.issuedRetention,
      tombstoneRetention: config.tombstoneRetention,
    },
  };
}
