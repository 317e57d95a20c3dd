import type { UploadDependencies } from './dependencies.ts';
import type { PurgingBody } from './ports.ts';
import { reconcile } from './reconcile.ts';

/** What one purge did. */
export interface PurgeReport {
  /** Bodies that are gone. */
  readonly purged: number;
  /** Bodies that could not be deleted; the next purge tries them again. */
  readonly failed: number;
  /** Size of the bodies that are gone. */
  readonly bytes: number;
}

/** Small, and few at a time, because clients are served meanwhile. It is still about as fast as `rm`. */
const BATCH = 64;
const DELETIONS_AT_ONCE = 3;
/** How many steps of the ledger one purge waits for; the next one goes on. */
const MOST_STEPS = 256;

const NONCES = 1000;

/** Nonces that were used. */
export interface UsedNonces {
  /** Forgets up to `limit` nonces that expired before a time. @returns how many. */
  prune(expiredBefore: number, limit: number): Promise<number>;
}

/** The purge of a gateway. */
export interface Purge {
  /** Runs it once. */
  readonly run: () => Promise<PurgeReport>;
  /** Ends its runs after the batch that is under way. */
  readonly stop: () => Promise<void>;
}

/**
 * Makes the purge. A run has six jobs, in this order: it reconciles what failed uploads have left, deletes the bodies in
 * `purging`, expires what nobody claimed in time, forgets issued uploads, then tombstones, and then nonces: last, because
 * on a full disk that may fail until there is room.
 */
export function createPurge(deps: UploadDependencies, nonces: UsedNonces): Purge {
  const stopping = new AbortController();
  const running = new Set<Promise<PurgeReport>>();
  const runJobs = async (): Promise<PurgeReport> => {
    await reconcileFailures(deps);
    const report = await purgeUnclaimed(deps, stopping.signal);
    await pruneNonces(nonces, deps.clock.now());
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

/** The start reconciles what a crash has left; what has failed since then waits for the next purge. */
async function reconcileFailures(deps: UploadDependencies): Promise<void> {
  const report = await reconcile(deps);
  if (report.completed + report.removed === 0) return;
  deps.logger.warn(report, 'reconciled what a failure had left');
}

/** Forgets the nonces that expired before a time. */
export async function pruneNonces(nonces: UsedNonces, expiredBefore: number): Promise<void> {
  while ((await nonces.prune(expiredBefore, NONCES)) === NONCES);
}

/**
 * Purges every upload whose claim deadline has passed, and whatever else is in `purging`; then forgets issued
 * uploads and tombstones past their retention, and gives the room of what was forgotten back. Works in batches, so that
 * it neither holds the ledger for long nor reads it whole, and ends between two of them when the gateway stops.
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
    const gone = await deleteBodies(deps, bodies);
    const sequences = gone.map(({ sequence }) => sequence);
    // Another process may purge the same bodies: whoever confirms a body counts it.
    const confirmed = new Set(await ledger.confirmPurged(sequences, now));
    for (const body of gone) {
      if (!confirmed.has(body.sequence)) continue;
      report.purged += 1;
      report.bytes += body.size;
      deps.observer.purged?.(body);
    }
    report.failed += bodies.length - gone.length;
  };

  let bodies = await ledger.listPurging(0, BATCH);
  const failures: unknown[] = [];
  while (bodies.length > 0 && !isStopping()) {
    // A ledger that has no room to be written may get it from the bodies that are still to go.
    await finish(bodies).catch((error: unknown) => failures.push(error));
    bodies = await ledger.listPurging(bodies.at(-1)?.sequence ?? Infinity, BATCH);
  }
  if (failures.length > 0) throw failures[0];
  while (!isStopping()) {
    bodies = await ledger.expireStored(now - rules.claimTtl, now, BATCH);
    if (bodies.length === 0) break;
    await finish(bodies);
  }
  if (!isStopping()) await forget(deps, now);
  return report;
}

/** @returns the bodies that are gone. */
async function deleteBodies(
  deps: UploadDependencies,
  bodies: readonly PurgingBody[],
): Promise<PurgingBody[]> {
  const waiting = bodies.values();
  const gone: PurgingBody[] = [];
  const worker = async (): Promise<void> => {
    for (const body of waiting) {
      try {
        await deps.store.delete(body.locator);
        gone.push(body);
      } catch (error) {
        deps.logger.error({ err: error, ...body }, 'could not delete a purged body');
      }
    }
  };
  await Promise.all(Array.from({ length: DELETIONS_AT_ONCE }, worker));
  return gone;
}

async function forget(
  { activeUploads, ledger, rules }: UploadDependencies,
  now: number,
): Promise<void> {
  const issuedBefore = now - rules.issuedRetention;
  while ((await ledger.pruneIssued(issuedBefore, activeUploads.list(), BATCH)) === BATCH);
  while ((await ledger.pruneTombstones(now - rules.tombstoneRetention, BATCH)) === BATCH);
  for (let step = 1; step <= MOST_STEPS && (await ledger.reclaimSpace()); step += 1);
}
