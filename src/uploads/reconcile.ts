import type { UploadDependencies } from './dependencies.ts';
import { allUploads } from './list-all.ts';

/** What a crash or a failure had left, and what became of it. */
export interface ReconcileReport {
  /** Bodies whose row had been written: kept. */
  readonly completed: number;
  /** Bodies that nobody was told of: removed. */
  readonly removed: number;
  /** Bodies without a row that may have been acknowledged: kept, out of the way. Absent when there are none. */
  readonly setAside?: number;
}

/**
 * Settles what a crash or a failing ledger left between the object store and the ledger. It reads the uncommitted
 * bodies alone, whatever the number of uploads; rows in `purging` are finished by the next purge.
 *
 * A body without a row is removed: nobody was told that it is stored. But when the store has found damage, or knows of
 * a body that it was on record and is not any more, rows may be lost, and every such body is set aside instead.
 */
export async function reconcile(
  deps: Pick<UploadDependencies, 'ledger' | 'store'>,
): Promise<ReconcileReport> {
  const { ledger, store } = deps;
  const withoutRow: string[] = [];
  let completed = 0;
  for (const locator of await store.uncommitted()) {
    if (await ledger.hasBody(locator)) {
      await store.commit(locator);
      completed += 1;
    } else {
      withoutRow.push(locator);
    }
  }
  const lost = await findLost(deps, withoutRow);
  let setAside = 0;
  for (const locator of withoutRow) {
    if (lost.has(locator) && (await store.recovery?.setAside(locator)) === true) setAside += 1;
    else await store.discard(locator);
  }
  await store.recovery?.end();
  const report = { completed, removed: withoutRow.length - setAside };
  return setAside > 0 ? { ...report, setAside } : report;
}

/** @returns which of some bodies without a row must not be removed */
async function findLost(
  { ledger, store: { recovery } }: Pick<UploadDependencies, 'ledger' | 'store'>,
  withoutRow: readonly string[],
): Promise<ReadonlySet<string>> {
  const isSuspicious =
    recovery?.foundDamage === true || withoutRow.some((locator) => recovery?.wasCommitted(locator));
  const candidates = new Set(isSuspicious ? withoutRow : []);
  if (recovery === undefined || candidates.size === 0) return candidates;
  // It costs a look at every row, and happens after damage alone, or when a power cut has taken a note.
  for await (const upload of allUploads(ledger)) {
    if (upload.state === 'purged') candidates.delete(upload.object.locator);
  }
  const isLost = recovery.foundDamage || [...candidates].some((one) => recovery.wasCommitted(one));
  return isLost ? candidates : new Set();
}
