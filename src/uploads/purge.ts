import { preciseNow } from '../lib/clock.ts';
import { hasErrorCode, isDiskFull } from '../lib/errno.ts';
import type { UploadDependencies } from './dependencies.ts';
import type { PurgeRun } from './ports.ts';
import type { PurgeReport } from './purge-bodies.ts';
import { PurgeTally, purgeUnclaimed } from './purge-bodies.ts';
import { reconcile } from './reconcile.ts';
import { ClockDiffers } from './unavailable.ts';

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
 * A full disk or a damaged file may make one of them fail. The others are done all the same: they may make room. With a
 * wrong clock none is done: it would delete uploads of other gateways too early.
 * @param upkeep - removes old rows that are not of uploads, and sweeps a shared store
 * @param requireClock - rejects when the clock differs from that of the ledger. Absent: they are the same
 */
export function createPurge(
  deps: UploadDependencies,
  nonces: UsedNonces,
  upkeep: readonly ((signal: AbortSignal) => Promise<void>)[] = [],
  requireClock?: () => Promise<void>,
): Purge {
  const stopping = new AbortController();
  const running = new Set<Promise<PurgeReport>>();
  const runJobs = async (): Promise<PurgeReport> => {
    const startedAt = preciseNow();
    const tally = new PurgeTally();
    const failures: unknown[] = [];
    const attempt = (job: () => Promise<unknown>): Promise<unknown> =>
      job().catch((error: unknown) => failures.push(error));
    const jobs = [
      () => reconcileFailures(deps),
      () => purgeUnclaimed(deps, stopping.signal, tally),
      () => pruneNonces(nonces, deps.clock.now()),
      ...upkeep.map((job) => () => job(stopping.signal)),
    ];
    if (requireClock !== undefined) await attempt(requireClock);
    if (failures.length === 0) for (const job of jobs) await attempt(job);
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
  if (error instanceof ClockDiffers)
    return 'nothing is deleted until the clocks agree, let a time service set both';
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
