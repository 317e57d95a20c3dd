import type { RequestListener } from 'node:http';
import type { Account } from './accounts/accounts.ts';
import type { Keys } from './accounts/keys.ts';
import { reloadKeys, resolveKeys } from './accounts/keys.ts';
import type { Quota } from './accounts/ports.ts';
import { useSettingFiles } from './accounts/setting-files.ts';
import { createApp } from './app.ts';
import type { Config, GatewayOptions } from './config/config.ts';
import { parseConfig } from './config/config.ts';
import { findExpiry, readTlsFiles } from './config/tls-files.ts';
import type { TlsFiles } from './config/tls-files.ts';
import { createFaults } from './fault-codes.ts';
import type { FaultCodes } from './fault-codes.ts';
import type { FaultRegistry } from './faults/fault-registry.ts';
import type { Listener } from './http/listener.ts';
import { startListener } from './http/listener.ts';
import { RefusalLog } from './http/refusal-log.ts';
import { createQuota } from './iot/quota.ts';
import { RetainedNonces } from './iot/retained-nonces.ts';
import { startPurgeJob } from './jobs/purge-job.ts';
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
import { loadOperatorApp } from './ops/load-operator-app.ts';
import { createObservation } from './observation.ts';
import type { Observation } from './observation.ts';
import { NoticeLog } from './oss/fidelity.ts';
import { adjustableClock, createTestMode, requireFreshIds } from './test-mode.ts';
import type { TestMode, TestModeDependencies } from './test-mode.ts';
import { ActiveUploads } from './uploads/active-uploads.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';
import { combineObservers } from './uploads/observers.ts';
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
export { RefusalLog } from './http/refusal-log.ts';
export type { Refusal } from './http/refusal-log.ts';
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
  /** The accounts that may call the API, instead of those of the settings. */
  readonly accounts?: readonly Account[];
}

/** A gateway. It neither listens nor schedules anything before `listen` and `startJobs` are called. */
export interface Gateway extends AsyncDisposable {
  /** Handles every request; mount it, pass it to supertest, or call `listen`. */
  readonly app: RequestListener;
  readonly config: Config;
  /** Its uploads and packages, for code in the same process. */
  readonly uploads: Uploads;
  /** The file with the generated access keys; undefined when the settings have all keys. */
  readonly credentialsFile: string | undefined;
  /** Listens on the configured address. */
  listen(): Promise<Listener>;
  /** Starts to run the purge by its cron expression. */
  startJobs(): void;
  /** Runs the purge once, as the job does. */
  purgeUnclaimed(): Promise<PurgeReport>;
  /**
   * Reads the accounts file and the generated bucket keys again. Calls that are already admitted continue with the old
   * ones.
   * @throws when a file cannot be used; all old accounts and keys stay in use
   */
  reloadAccounts(): void;
  /**
   * Reads the certificate and its key again. New connections get the new certificate; those that are open go on.
   * @throws when one of the files cannot be used; the old certificate stays in use
   */
  reloadCertificate(): void;
  /** Stops listening and all jobs, waits for running requests, and releases the data folder. Idempotent. */
  close(): Promise<void>;
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
  const accounts = useSettingFiles(config, parts.accounts);
  const closers: Closer[] = [];
  try {
    closers.push(lockFolder(config, parts));
    const records = parts.records ?? openRecords(config);
    closers.push(() => records.ledger.close());
    await requireFreshIds(config, records.ledger);
    const store = parts.store ?? (await openStore(config, parts.logger));
    closers.push(() => store.close());
    const keys = resolveKeys(config, accounts);
    const accountIds = (): string[] => keys.accounts.all.map(({ id }) => id);
    const events = new UploadEvents();
    const uploads = composeUploads(config, parts, { ledger: records.ledger, store, events }, keys);
    closers.push(() => uploads.activeUploads.drain(config.grace));
    uploads.logger.info(await reconcile(uploads), 'checked unfinished uploads');
    await warnOfUnknownOwners(uploads, accountIds());
    const monotonic = parts.monotonicClock ?? monotonicClock;
    const nonces = new RetainedNonces(records.nonces, uploads.clock, monotonic);
    const watched = observable(config, parts);
    const observation = createObservation({
      ...{ config, parts, uploads, log: watched.refusals, store: records.refusals },
    });
    closers.push(observation.close);
    const purge = createPurge(uploads, nonces, observation.prune);
    const view = createUploads(uploads, accountIds);
    const { app, ownPorts, tests } = composeApp(
      {
        ...{ config, parts, keys, events, nonces, watched, observation },
        ...{ deps: uploads, uploads: view, purge: purge.run },
      },
      async () => {
        await pruneNonces(records.nonces, Number.MAX_SAFE_INTEGER);
        await observation.forget();
      },
    );
    const base = {
      app,
      config,
      uploads: view,
      credentialsFile: keys.credentialsFile,
      reloadAccounts: () => {
        reloadKeys(config, keys);
      },
      purgeUnclaimed: purge.run,
    };
    return startable(base, uploads.logger, ownPorts, async (started) => {
      tests?.end();
      await Promise.all([purge.stop, ...started].map((stop) => stop()));
      await closeAll(closers);
    });
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
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
}

/** @param forgetCalls - forgets the nonces of past calls and the refusals, for a reset */
function composeApp(
  { nonces, observation, parts, watched, ...composed }: Composed,
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
    ...{ config, ownPorts, keys, uploads, nonces, quota, ...watched, recording, refusals },
    tests: tests?.controls,
    gatewayId: parts.gatewayId ?? randomIds.locator(),
    wallClock: recording.wallClock,
  });
  return { app, ownPorts, tests };
}

/** Reads the certificate, and warns when clients will refuse it. */
function loadCertificate(config: Config, logger: Logger): TlsFiles | undefined {
  const files = readTlsFiles(config);
  const expiry = files && findExpiry(files, wallClock.now());
  if (expiry !== undefined) logger.warn({ tlsCert: config.tlsCert }, `the certificate ${expiry}`);
  return files;
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

function composeUploads(
  config: Config,
  parts: GatewayParts,
  { events, ledger, store }: { events: UploadEvents; ledger: UploadLedger; store: ObjectStore },
  { bucketKey }: Keys,
): UploadDependencies {
  const { clock = wallClock, logger = silentLogger, observers = [] } = parts;
  return {
    ledger,
    store,
    clock: config.testMode ? adjustableClock(config, clock) : clock,
    ids: parts.ids ?? (config.testIds ? sequentialIds() : randomIds),
    logger,
    observer: combineObservers(
      config.testMode ? [...observers, events.observer] : observers,
      logger,
    ),
    policySigner: {
      get accessKeyId() {
        return bucketKey.accessKeyId;
      },
      sign: (policy) => bucketKey.signPostV1(policy),
    },
    activeUploads: new ActiveUploads(),
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

/**
 * Adds the methods that start and stop.
 * @param close - first stops everything that was started, all at the same time, so that no more connections are
 *   accepted; then closes the rest
 */
function startable(
  base: Omit<
    Gateway,
    'listen' | 'reloadCertificate' | 'startJobs' | 'close' | typeof Symbol.asyncDispose
  >,
  logger: Logger,
  ownPorts: Set<number>,
  close: (started: readonly (() => Promise<void>)[]) => Promise<void>,
): Gateway {
  const started: (() => Promise<void>)[] = [];
  const listeners: Listener[] = [];
  let closing: Promise<void> | undefined;
  const gateway: Gateway = {
    ...base,
    listen: async () => {
      // Otherwise the first health check would wait for it.
      loadOperatorApp();
      const tls = loadCertificate(base.config, logger);
      const listener = await startListener(base.app, { ...base.config, tls }, logger);
      listeners.push(listener);
      ownPorts.add(listener.port);
      started.push(() => listener.close());
      return listener;
    },
    reloadCertificate: () => {
      const pair = loadCertificate(base.config, logger);
      if (pair !== undefined) for (const listener of listeners) listener.replaceCertificate(pair);
    },
    startJobs: () => {
      const job = startPurgeJob(base.config.purgeCron, base.purgeUnclaimed, logger);
      started.push(() => job.stop());
    },
    close: () => (closing ??= close(started)),
    [Symbol.asyncDispose]: () => gateway.close(),
  };
  return gateway;
}
