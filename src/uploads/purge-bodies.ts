import type { UploadDependencies } from './dependencies.ts';
import type { PurgingBody, UploadLedger } from './ports.ts';

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

/**
 * How long no other purge deletes the bodies that one has taken, in milliseconds: a batch takes a fraction of it. Only the
 * bodies of a node that was killed wait for it.
 */
const LEASE = 60_000;

/** What a run has done so far. It is also known when the run fails. */
export class PurgeTally {
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
  const { clock, ledger } = deps;
  const taken = new Set<number>();
  const purge: BodyPurge = {
    now: clock.now(),
    takenUntil: () => clock.now() + LEASE,
    isStopping: () => stopping?.aborted === true,
    finish: (bodies) => finishBodies(deps, { bodies, taken, now: purge.now, tally }),
  };
  try {
    await purgePurging(ledger, purge);
    await expireStored(deps, purge);
    tally.retired = await retirePackages(deps, purge);
  } finally {
    await releaseBodies(deps, [...taken]);
  }
  if (!purge.isStopping()) await removeOldRows(deps, purge.now);
  return tally.report;
}

interface BodyPurge {
  /** When it began. The bodies that it has taken are not free at this time, so it gets none of them twice. */
  readonly now: number;
  readonly takenUntil: () => number;
  readonly isStopping: () => boolean;
  /** Deletes bodies, and confirms it. */
  readonly finish: (bodies: readonly PurgingBody[]) => Promise<void>;
}

async function purgePurging(
  ledger: UploadLedger,
  { finish, isStopping, now, takenUntil }: BodyPurge,
): Promise<void> {
  const failures: unknown[] = [];
  while (!isStopping()) {
    const bodies = await ledger.takePurging(now, takenUntil(), BATCH);
    if (bodies.length === 0) break;
    // When the ledger fails because the disk is full, deleting the other bodies may make room for it.
    await finish(bodies).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

async function expireStored(
  { ledger, rules }: UploadDependencies,
  { finish, isStopping, now, takenUntil }: BodyPurge,
): Promise<void> {
  while (!isStopping()) {
    const bodies = await ledger.expireStored(now - rules.claimTtl, now, takenUntil(), BATCH);
    if (bodies.length === 0) break;
    await finish(bodies);
  }
}

interface TakenBatch {
  readonly bodies: readonly PurgingBody[];
  /** The bodies that the run has taken and not confirmed. */
  readonly taken: Set<number>;
  readonly now: number;
  readonly tally: PurgeTally;
}

async function finishBodies(
  deps: UploadDependencies,
  { bodies, now, taken, tally }: TakenBatch,
): Promise<void> {
  for (const { sequence } of bodies) taken.add(sequence);
  const deleted = await deleteBodies(deps, bodies, tally);
  const sequences = deleted.map(({ sequence }) => sequence);
  // Another node may have deleted a body of which this one was too slow: only the one that confirms it counts it.
  const confirmed = new Set(await deps.ledger.confirmPurged(sequences, now));
  for (const sequence of sequences) taken.delete(sequence);
  for (const body of deleted) {
    if (!confirmed.has(body.sequence)) continue;
    tally.purged += 1;
    tally.bytes += body.size;
    deps.logger.debug(body, 'purged a body');
    deps.observer.purged?.(body);
  }
}

/** Gives back the bodies that could not be deleted. Without it they wait for the end of the lease. */
async function releaseBodies(
  { ledger, logger }: UploadDependencies,
  sequences: readonly number[],
): Promise<void> {
  if (sequences.length === 0) return;
  await ledger.releasePurging(sequences).catch((error: unknown) => {
    logger.debug({ err: error, bodies: sequences.length }, 'could not give back bodies');
  });
}

/** @returns the number of firmware packages that were removed because of their age */
async function retirePackages(
  { ledger, logger, observer, rules: { claimedRetention = 'off' } }: UploadDependencies,
  { finish, isStopping, now, takenUntil }: BodyPurge,
): Promise<number> {
  if (claimedRetention === 'off') return 0;
  let count = 0;
  while (!isStopping()) {
    const { bodies, packages } = await ledger.retirePackages(
      now - claimedRetention,
      now,
      takenUntil(),
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

async function removeOldRows({ ledger, rules }: UploadDependencies, now: number): Promise<void> {
  const issuedBefore = now - rules.issuedRetention;
  while ((await ledger.pruneIssued(issuedBefore, BATCH)) === BATCH);
  while ((await ledger.pruneTombstones(now - rules.tombstoneRetention, BATCH)) === BATCH);
  for (let step = 1; step <= MAX_RECLAIM_STEPS && (await ledger.reclaimSpace()); step += 1);
}
