import { preciseNow } from '../lib/clock.ts';
import { hasErrorCode, isDiskFull } from '../lib/errno.ts';
import type { UploadDependencies } from './dependencies.ts';
import type { PurgeRun, PurgingBody } from './ports.ts';
import { reconcile } from './reconcile.ts';

/** What one run of the purge did. */
export interface PurgeReport {
  /** Number of deleted bodies. */
  readonly purged: number;
  /** Number of bodies that could not be deleted; the next purge tries again. */
  readonly failed: number;
  /** Size of the deleted bodies together, in bytes. */
  readonly bytes: number;
  /** Number of firmware packages that were removed because of their age; absent when there are none. */
  readonly retired?: number;
}

/** Small batches and few deletions at once, because clients are served at the same time. About as fast as `rm`. */
const BATCH = 64;
const DELETIONS_AT_ONCE = 3;
/** How often one purge asks the ledger to return space; the next purge continues. */
const MAX_RECLAIM_STEPS = 256;

/** Each has up to 20 bodies. */
const PACKAGE_BATCH = 8;

const NONCE_BATCH = 1000;

/** The nonces that were used. */
export interface UsedNonces {
  /** Removes up to `limit` nonces that expired before a time. @returns how many */
  prune(expiredBefore: number, limit: number): Promise<number>;
}

/** The purge of a gateway. */
export interface Purge {
  /** Runs it once. */
  readonly run: () => Promise<PurgeReport>;
  /** Ends all runs after their present batch. */
  readonly stop: () => Promise<void>;
}

/**
 * Creates the purge. A run does nine jobs in this order: it reconciles the bodies of failed uploads, deletes the bodies
 * in `purging`, expires uploads that were not claimed in time, retires old firmware packages, removes old `issued`
 * uploads, then old tombstones, then expired nonces, then old refusals, then old samples of the usage. Each run leaves one line in
 * the log.
 *
 * A full disk or a damaged file may make one of them fail. The others are done all the same: they may make room.
 * @param upkeep - removes old rows that are not of uploads
 */
export function createPurge(
  deps: UploadDependencies,
  nonces: UsedNonces,
  upkeep: readonly (() => Promise<void>)[] = [],
): Purge {
  const stopping = new AbortController();
  const running = new Set<Promise<PurgeReport>>();
  const runJobs = async (): Promise<PurgeReport> => {
    const startedAt = preciseNow();
    const tally = new PurgeTally();
    const failures: unknown[] = [];
    const attempt = (job: () => Promise<unknown>): Promise<unknown> =>
      job().catch((error: unknown) => failures.push(error));
    await attempt(() => reconcileFailures(deps));
    await attempt(() => purgeUnclaimed(deps, stopping.signal, tally));
    await attempt(() => pruneNonces(nonces, deps.clock.now()));
    for (const job of upkeep) await attempt(job);
    const outcome: PurgeRun['outcome'] = failures.length === 0 ? 'done' : 'failed';
    const milliseconds = preciseNow() - startedAt;
    deps.observer.purgeRan?.({ outcome, milliseconds });
    logRun(deps, { tally, milliseconds, failures });
    if (failures.length > 0) throw failures[0];
    return tally.report;
  };
  return {
    run: () => {
      const run = runJobs();
      running.add(run);
      return run.finally(() => running.delete(run));
    },
    stop: async () => {
      stopping.abort();
      await Promise.allSettled([...running]);
    },
  };
}

/** What a run has done so far. It is also known when the run fails. */
class PurgeTally {
  purged = 0;
  failed = 0;
  bytes = 0;
  retired = 0;
  /** Why the first of the bodies that are left could not be deleted. */
  obstacle: unknown;

  get report(): PurgeReport {
    const { bytes, failed, purged, retired } = this;
    return { purged, failed, bytes, ...(retired > 0 && { retired }) };
  }
}

interface FinishedRun {
  readonly tally: PurgeTally;
  readonly milliseconds: number;
  /** The errors of the jobs that have failed. */
  readonly failures: readonly unknown[];
}

/** Logs one line for each run, at the level `debug` when there was nothing to delete. */
function logRun(
  { logger }: UploadDependencies,
  { failures, milliseconds, tally: { obstacle, report } }: FinishedRun,
): void {
  const details = { ...report, ms: Math.round(milliseconds) };
  const done = `purged ${counted(report.purged)}`;
  if (failures.length > 0) {
    const [err] = failures;
    logger.error({ err, ...details }, `the purge failed, ${done}: ${adviceFor(err)}`);
  } else if (report.failed > 0) {
    const left = `could not delete ${counted(report.failed)}`;
    logger.error({ err: obstacle, ...details }, `${done}, ${left}: ${adviceFor(obstacle)}`);
  } else if (report.purged > 0) logger.info(details, done);
  else logger.debug(details, 'purged nothing');
}

function counted(bodies: number): string {
  return `${String(bodies)} ${bodies === 1 ? 'file' : 'files'}`;
}

const NOT_ALLOWED = ['EACCES', 'EPERM', 'EROFS', 'SQLITE_READONLY'];

/** @returns what the operator can do about an error */
function adviceFor(error: unknown): string {
  if (isDiskFull(error)) return 'the disk of the data folder is full, free some space on it';
  if (NOT_ALLOWED.some((code) => hasErrorCode(error, code)))
    return 'check the owner and the permissions of the data folder';
  return 'the next run tries again; if that fails too, check the data folder with ota-gateway fsck';
}

/** Reconciles uploads that have failed since the start; the start itself reconciles after a crash. */
async function reconcileFailures(deps: UploadDependencies): Promise<void> {
  const report = await reconcile(deps);
  if (report.completed + report.removed === 0) return;
  deps.logger.warn(report, 'completed or removed unfinished uploads');
}

/** Removes the nonces that expired before a time. */
export async function pruneNonces(nonces: UsedNonces, expiredBefore: number): Promise<void> {
  while ((await nonces.prune(expiredBefore, NONCE_BATCH)) === NONCE_BATCH);
}

/**
 * Deletes the bodies in `purging`, those of all uploads whose claim deadline has passed, and those of firmware packages
 * that are older than the operator keeps them. Then removes `issued` uploads and tombstones after their retention, and
 * returns their space to the disk. Works in batches, so that it neither blocks the ledger for long nor reads all of it at
 * once, and ends between two batches when the gateway stops.
 * @param tally - counts what is done, also when it fails
 */
export async function purgeUnclaimed(
  deps: UploadDependencies,
  stopping?: AbortSignal,
  tally = new PurgeTally(),
): Promise<PurgeReport> {
  const isStopping = (): boolean => stopping?.aborted === true;
  const { clock, ledger, rules } = deps;
  const now = clock.now();
  const finish = async (bodies: readonly PurgingBody[]): Promise<void> => {
    const deleted = await deleteBodies(deps, bodies, tally);
    const sequences = deleted.map(({ sequence }) => sequence);
    // Another process may purge the same bodies: only the one that confirms a body counts it.
    const confirmed = new Set(await ledger.confirmPurged(sequences, now));
    for (const body of deleted) {
      if (!confirmed.has(body.sequence)) continue;
      tally.purged += 1;
      tally.bytes += body.size;
      deps.logger.debug(body, 'purged a body');
      deps.observer.purged?.(body);
    }
  };

  let bodies = await ledger.listPurging(0, BATCH);
  const failures: unknown[] = [];
  while (bodies.length > 0 && !isStopping()) {
    // When the ledger fails because the disk is full, deleting the other bodies may make room for it.
    await finish(bodies).catch((error: unknown) => failures.push(error));
    bodies = await ledger.listPurging(bodies.at(-1)?.sequence ?? Infinity, BATCH);
  }
  if (failures.length > 0) throw failures[0];
  while (!isStopping()) {
    bodies = await ledger.expireStored(now - rules.claimTtl, now, BATCH);
    if (bodies.length === 0) break;
    await finish(bodies);
  }
  tally.retired = await retirePackages(deps, { now, isStopping, finish });
  if (!isStopping()) await removeOldRows(deps, now);
  return tally.report;
}

interface BodyPurge {
  readonly now: number;
  readonly isStopping: () => boolean;
  /** Deletes bodies, and confirms it. */
  readonly finish: (bodies: readonly PurgingBody[]) => Promise<void>;
}

/** @returns the number of firmware packages that were removed because of their age */
async function retirePackages(
  { ledger, logger, observer, rules: { claimedRetention = 'off' } }: UploadDependencies,
  { finish, isStopping, now }: BodyPurge,
): Promise<number> {
  if (claimedRetention === 'off') return 0;
  let count = 0;
  while (!isStopping()) {
    const { bodies, packages } = await ledger.retirePackages(
      now - claimedRetention,
      now,
      PACKAGE_BATCH,
    );
    if (packages.length === 0) break;
    const packageIds = packages.map(({ id }) => id);
    logger.info({ packageIds }, 'removed firmware packages because of their age');
    for (const each of packages) observer.packageDeleted?.(each);
    count += packages.length;
    await finish(bodies);
  }
  return count;
}

/** @returns the bodies that were deleted */
async function deleteBodies(
  deps: UploadDependencies,
  bodies: readonly PurgingBody[],
  tally: PurgeTally,
): Promise<PurgingBody[]> {
  const waiting = bodies.values();
  const deleted: PurgingBody[] = [];
  const worker = async (): Promise<void> => {
    for (const body of waiting) {
      try {
        await deps.store.delete(body.locator);
        deleted.push(body);
      } catch (error) {
        tally.failed += 1;
        tally.obstacle ??= error;
        deps.logger.debug({ err: error, ...body }, 'could not delete a body');
      }
    }
  };
  await Promise.all(Array.from({ length: DELETIONS_AT_ONCE }, worker));
  return deleted;
}

async function removeOldRows(
  { activeUploads, ledger, rules }: UploadDependencies,
  now: number,
): Promise<void> {
  const issuedBefore = now - rules.issuedRetention;
  while ((await ledger.pruneIssued(issuedBefore, activeUploads.list(), BATCH)) === BATCH);
  while ((await ledger.pruneTombstones(now - rules.tombstoneRetention, BATCH)) === BATCH);
  for (let step = 1; step <= MAX_RECLAIM_STEPS && (await ledger.reclaimSpace()); step += 1);
}
