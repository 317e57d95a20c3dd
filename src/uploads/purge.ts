import { preciseNow } from '../lib/clock.ts';
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
 * Creates the purge. A run does eight jobs in this order: it reconciles the bodies of failed uploads, deletes the bodies
 * in `purging`, expires uploads that were not claimed in time, retires old firmware packages, removes old `issued`
 * uploads, then old tombstones, then expired nonces, then old refusals. The last two may fail on a full disk until the
 * other jobs have made room.
 */
export function createPurge(
  deps: UploadDependencies,
  nonces: UsedNonces,
  pruneRefusals: () => Promise<void> = () => Promise.resolve(),
): Purge {
  const stopping = new AbortController();
  const running = new Set<Promise<PurgeReport>>();
  const runJobs = async (): Promise<PurgeReport> => {
    const startedAt = preciseNow();
    let outcome: PurgeRun['outcome'] = 'failed';
    try {
      const report = await runInOrder();
      outcome = 'done';
      return report;
    } finally {
      deps.observer.purgeRan?.({ outcome, milliseconds: preciseNow() - startedAt });
    }
  };
  const runInOrder = async (): Promise<PurgeReport> => {
    await reconcileFailures(deps);
    const report = await purgeUnclaimed(deps, stopping.signal);
    await pruneNonces(nonces, deps.clock.now());
    await pruneRefusals();
    logRun(deps, report);
    return report;
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

/** Logs one line for each run, at the level `debug` when there was nothing to delete. */
function logRun({ logger }: UploadDependencies, report: PurgeReport): void {
  if (report.purged + report.failed === 0) logger.debug(report, 'purged nothing');
  else logger.info(report, 'purged');
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
 */
export async function purgeUnclaimed(
  deps: UploadDependencies,
  stopping?: AbortSignal,
): Promise<PurgeReport> {
  const isStopping = (): boolean => stopping?.aborted === true;
  const { clock, ledger, rules } = deps;
  const now = clock.now();
  const report = { purged: 0, failed: 0, bytes: 0 };
  const finish = async (bodies: readonly PurgingBody[]): Promise<void> => {
    const deleted = await deleteBodies(deps, bodies);
    const sequences = deleted.map(({ sequence }) => sequence);
    // Another process may purge the same bodies: only the one that confirms a body counts it.
    const confirmed = new Set(await ledger.confirmPurged(sequences, now));
    for (const body of deleted) {
      if (!confirmed.has(body.sequence)) continue;
      report.purged += 1;
      report.bytes += body.size;
      deps.logger.debug(body, 'purged a body');
      deps.observer.purged?.(body);
    }
    report.failed += bodies.length - deleted.length;
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
  const retired = await retirePackages(deps, { now, isStopping, finish });
  if (!isStopping()) await removeOldRows(deps, now);
  return retired === 0 ? report : { ...report, retired };
}

interface BodyPurge {
  readonly now: number;
  readonly isStopping: () => boolean;
  /** Deletes bodies, and confirms it. */
  readonly finish: (bodies: readonly PurgingBody[]) => Promise<void>;
}

/** @returns the number of firmware packages that were removed because of their age */
async function retirePackages(
  { ledger, logger, rules: { claimedRetention = 'off' } }: UploadDependencies,
  { finish, isStopping, now }: BodyPurge,
): Promise<number> {
  if (claimedRetention === 'off') return 0;
  let count = 0;
  while (!isStopping()) {
    const { bodies, packageIds } = await ledger.retirePackages(
      now - claimedRetention,
      now,
      PACKAGE_BATCH,
    );
    if (packageIds.length === 0) break;
    logger.info({ packageIds }, 'removed firmware packages because of their age');
    count += packageIds.length;
    await finish(bodies);
  }
  return count;
}

/** @returns the bodies that were deleted */
async function deleteBodies(
  deps: UploadDependencies,
  bodies: readonly PurgingBody[],
): Promise<PurgingBody[]> {
  const waiting = bodies.values();
  const deleted: PurgingBody[] = [];
  const worker = async (): Promise<void> => {
    for (const body of waiting) {
      try {
        await deps.store.delete(body.locator);
        deleted.push(body);
      } catch (error) {
        deps.logger.error({ err: error, ...body }, 'could not delete a purged body');
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
