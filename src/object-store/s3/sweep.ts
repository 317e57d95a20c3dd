import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { SweepReport } from '../../uploads/daily-sweep.ts';
import type { UploadLedger } from '../../uploads/ports.ts';
import { unlessAbsent } from './store-calls.ts';
import type { StoredBodies } from './stored-bodies.ts';
import { allPages } from './stored-bodies.ts';

/** The clock of a store is known from dates of whole seconds. */
const DATE_STEP_MS = 1000;

/** What a sweep works with. */
export interface SweepDependencies {
  readonly bodies: StoredBodies;
  readonly ledger: Pick<UploadLedger, 'disown'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the sweep after the present page. */
  readonly signal?: AbortSignal;
}

/**
 * Finds what a gateway that was killed has left in a store: bodies that never got a row, and multipart uploads that
 * never ended.
 * @param orphanAge - milliseconds for which a body may be on its way to its row, by the clock of the store
 */
export async function sweep(deps: SweepDependencies, orphanAge: number): Promise<SweepReport> {
  const found = await disownOrphans(deps, orphanAge);
  const report = { ...found, uploads: await endUploads(deps, orphanAge) };
  deps.logger.info(report, 'searched the store for bodies that no upload has');
  return report;
}

async function disownOrphans(
  { bodies, clock, ledger, signal }: SweepDependencies,
  orphanAge: number,
): Promise<Omit<SweepReport, 'uploads'>> {
  let count = 0;
  let disowned = 0;
  for await (const { items, now } of bodies.pages()) {
    const old = items.flatMap(({ key, size, writtenAt }) => {
      const locator = bodies.locatorOf(key);
      return locator === undefined || writtenAt >= now + DATE_STEP_MS - orphanAge
        ? []
        : [{ locator, size }];
    });
    count += items.length;
    // It gives up those alone that have no row.
    if (old.length > 0) disowned += await ledger.disown(old, clock.now());
    if (signal?.aborted === true) break;
  }
  return { bodies: count, disowned };
}

/** Most stores do so by a rule of the bucket, but not all have such rules or may be given one. */
export async function endUploads(
  { bodies: { calls, client, folder }, logger }: Pick<SweepDependencies, 'bodies' | 'logger'>,
  orphanAge: number,
): Promise<number> {
  let ended = 0;
  try {
    const pages = allPages((next) => calls.request(() => client.listUploads(folder, next)));
    for await (const { items, now } of pages) {
      for (const { key, startedAt, uploadId } of items) {
        if (startedAt > now - orphanAge) continue;
        await unlessAbsent(calls.request(() => client.abortUpload(key, uploadId)));
        ended += 1;
      }
    }
  } catch (error) {
    logger.warn({ err: error }, 'could not end the unfinished multipart uploads of the store');
  }
  return ended;
}
