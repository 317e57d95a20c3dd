import type { UploadParts } from './dependencies.ts';
import type { PurgingBody } from './ports.ts';

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

/**
 * Purges every upload whose claim deadline has passed, and whatever else is in `purging`; then forgets issued
 * uploads and tombstones past their retention, and gives the room of what was forgotten back. Works in batches, so that
 * it neither holds the ledger for long nor reads it whole, and ends between two of them when the gateway stops.
 */
export async function purgeUnclaimed(
  parts: UploadParts,
  stopping?: AbortSignal,
): Promise<PurgeReport> {
  const isStopping = (): boolean => stopping?.aborted === true;
  const { clock, ledger, rules } = parts;
  const now = clock.now();
  const report = { purged: 0, failed: 0, bytes: 0 };
  const finish = async (bodies: readonly PurgingBody[]): Promise<void> => {
    const gone = await deleteBodies(parts, bodies);
    const sequences = gone.map(({ sequence }) => sequence);
    // Another process may purge the same bodies: whoever confirms a body counts it.
    const confirmed = new Set(await ledger.confirmPurged(sequences, now));
    for (const body of gone) {
      if (!confirmed.has(body.sequence)) continue;
      report.purged += 1;
      report.bytes += body.size;
      parts.observer.purged?.(body);
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
  if (!isStopping()) await forget(parts, now);
  return report;
}

/** @returns the bodies that are gone. */
async function deleteBodies(
  parts: UploadParts,
  bodies: readonly PurgingBody[],
): Promise<PurgingBody[]> {
  const waiting = bodies.values();
  const gone: PurgingBody[] = [];
  const worker = async (): Promise<void> => {
    for (const body of waiting) {
      try {
        await parts.store.delete(body.locator);
        gone.push(body);
      } catch (error) {
        parts.logger.error({ err: error, ...body }, 'could not delete a purged body');
      }
    }
  };
  await Promise.all(Array.from({ length: DELETIONS_AT_ONCE }, worker));
  return gone;
}

async function forget({ inTransit, ledger, rules }: UploadParts, now: number): Promise<void> {
  const issuedBefore = now - rules.issuedRetention;
  while ((await ledger.pruneIssued(issuedBefore, inTransit.list(), BATCH)) === BATCH);
  while ((await ledger.pruneTombstones(now - rules.tombstoneRetention, BATCH)) === BATCH);
  for (let step = 1; step <= MOST_STEPS && (await ledger.giveBack()); step += 1);
}
