import type { Quota } from './accounts/ports.ts';
import type { Keys } from './accounts/keys.ts';
import { resolveKeys } from './accounts/keys.ts';
import { limitRules } from './accounts/limit-rules.ts';
import { useSettingFiles } from './accounts/setting-files.ts';
import type { Config } from './config/config.ts';
import { createQuota } from './iot/quota.ts';
import type { Records } from './ledger/records.ts';
import type { Clock } from './lib/clock.ts';
import { monotonicClock, wallClock } from './lib/clock.ts';
import { randomIds, sequentialIds } from './lib/ids.ts';
import { loadModule } from './lib/load-module.ts';
import { silentLogger } from './lib/logger.ts';
import { takeServerLock } from './object-store/disk/folder-lock.ts';
import { createMonitoring, measureDisk } from './monitoring.ts';
import type { Monitoring } from './monitoring.ts';
import type { Watching } from './operator/watching.ts';
import type * as WatchingModule from './operator/watching.ts';
import { openRecords, openStore, requireComplete, requireSameStore } from './storage.ts';
import type { OpenStore } from './storage.ts';
import { adjustableClock, requireFreshIds } from './test-settings.ts';
import { ActiveUploads } from './uploads/active-uploads.ts';
import type { UploadDependencies } from './uploads/dependencies.ts';
import { dailySweep } from './uploads/daily-sweep.ts';
import { combineObservers } from './uploads/observers.ts';
import { KeyOwners } from './uploads/key-owners.ts';
import { LedgerTotals } from './uploads/ledger-totals.ts';
import { UploadLimits } from './uploads/limits.ts';
import type { Observer } from './uploads/ports.ts';
import { reconcile } from './uploads/reconcile.ts';
import { UploadEvents } from './uploads/upload-events.ts';
import { warnOfUnknownOwners } from './uploads/unknown-owners.ts';

import type { GatewayParts } from './gateway-parts.ts';
/** What an open data folder has. */
export interface Opened {
  readonly records: Records;
  readonly keys: Keys;
  readonly events: UploadEvents;
  readonly monitoring: Monitoring;
  readonly uploads: UploadDependencies;
  readonly watching: Watching;
  readonly quota: Quota;
  /** What the purge does besides, for a shared store. */
  readonly jobs: readonly ((signal: AbortSignal) => Promise<void>)[];
}

/** Opens the data folder, and reconciles after a crash. @param closers - gets what closes it */
export async function openGateway(
  config: Config,
  parts: GatewayParts,
  closers: Closer[],
): Promise<Opened> {
  const accounts = useSettingFiles(config, parts.accounts);
  closers.push(lockFolder(config, parts));
  const { logger = silentLogger } = parts;
  const records = parts.records ?? (await openRecords(config, logger));
  const { ledger } = records;
  closers.push(() => ledger.close());
  await requireComplete(records);
  await requireSameStore(config, records);
  await requireFreshIds(config, ledger);
  const { store, sweep } = parts.store ? { store: parts.store } : await openStore(config, logger);
  closers.push(() => store.close());
  const keys = resolveKeys(config, accounts);
  const events = new UploadEvents();
  const now = (): number => uploads.clock.now();
  const totals = new LedgerTotals();
  const { shared } = records;
  const monitoring = createMonitoring({ config, logger, ledger, store, totals, now, shared });
  await monitoring.ledgerClock?.compare();
  const { monotonicClock: monotonic = monotonicClock } = parts;
  const watching = loadWatching()(
    () => uploads,
    {
      ...{ totals, history: records.usage, reserve: config.minFree },
      disk: () => measureDisk(config.dataDir),
    },
    monotonic,
  );
  const quota = parts.quota ?? records.quota ?? createQuota(monotonic);
  const jobs = sweepJobs(config, { sweep, ledger, shared }, monotonic);
  const observers = ownObservers(config, events, monitoring, watching);
  const uploads = composeUploads(config, parts, { records, store, totals, observers }, keys);
  if (parts.measureProcess === true) await monitoring.metrics?.start(true);
  closers.push(() => uploads.activeUploads.drain(config.grace));
  logger.info(await reconcile(uploads), 'checked unfinished uploads');
  await warnOfUnknownOwners(
    uploads,
    keys.accounts.all.map(({ id }) => id),
  );
  await uploads.limits?.use(limitRules(config, keys.accounts));
  return { records, keys, events, monitoring, uploads, watching, quota, jobs };
}

function sweepJobs(
  { orphanAge }: Config,
  { sweep, ...deps }: Pick<Records, 'ledger' | 'shared'> & Pick<OpenStore, 'sweep'>,
  monotonic: Clock,
): Opened['jobs'] {
  if (sweep === undefined) return [];
  return [dailySweep({ ...deps, sweep, orphanAge, monotonic: () => monotonic.now() })];
}

export type Closer = () => void | Promise<void>;

/** Closes in the reverse order of opening. */
export async function closeAll(closers: Closer[]): Promise<void> {
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

function ownObservers(
  { testMode }: Config,
  events: UploadEvents,
  { metrics }: Monitoring,
  watching: Watching,
): Observer[] {
  return [
    ...(testMode ? [events.observer] : []),
    ...(metrics ? [metrics.observer] : []),
    ...watching.observers,
  ];
}

function composeUploads(
  config: Config,
  parts: GatewayParts,
  {
    observers: own,
    records: { ledger, quota },
    store,
    totals,
  }: Pick<UploadDependencies, 'store'> & {
    readonly records: Records;
    readonly totals: LedgerTotals;
    readonly observers: readonly Observer[];
  },
  { accounts, bucketKey }: Keys,
): UploadDependencies {
  const { clock = wallClock, logger = silentLogger, observers = [] } = parts;
  const rates = quota ?? createQuota(parts.monotonicClock ?? monotonicClock);
  const owners = new KeyOwners(() => accounts.all);
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
    ownerOf: (key) => owners.find(key),
    limits: new UploadLimits(totals, ledger, (...turn) => rates.take(...turn)),
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

/** Loads what watches a gateway, when one starts. */
function loadWatching(): typeof WatchingModule.createWatching {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return loadModule<typeof WatchingModule>(() => require('./operator/watching'), 'createWatching')
    .createWatching;
}
