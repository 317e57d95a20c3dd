import type { UploadDependencies } from './dependencies.ts';
import { allUploads } from './list-all.ts';

/** What reconcile did with the uncommitted bodies. */
export interface ReconcileReport {
  /** Bodies with a row: committed. */
  readonly completed: number;
  /** Bodies without a row that were never acknowledged: removed. */
  readonly removed: number;
  /** Bodies without a row that may have been acknowledged: set aside. Absent when there are none. */
  readonly setAside?: number;
}

/**
 * Compares the bodies that a crash or a failed upload has left uncommitted with the ledger, and completes or removes
 * each. Rows in `purging` are left to the next purge.
 *
 * A body without a row is removed, because it was never acknowledged. But rows may be lost if the store has found
 * damage, or if it knows that such a body was committed before. Then all complete bodies without a row are set aside.
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

/** @returns the bodies without a row that must not be removed */
async function findLost(
  { ledger, store: { recovery } }: Pick<UploadDependencies, 'ledger' | 'store'>,
  withoutRow: readonly string[],
): Promise<ReadonlySet<string>> {
  const isSuspicious =
    recovery?.foundDamage === true || withoutRow.some((locator) => recovery?.wasCommitted(locator));
  const candidates = new Set(isSuspicious ? withoutRow : []);
  if (recovery === undefined || candidates.size === 0) return candidates;
  // This reads every row, but only after damage, or when a power cut has lost the note of a deletion.
  for await (const upload of allUploads(ledger)) {
    if (upload.state === 'purged') candidates.delete(upload.object.locator);
  }
  const isLost = recovery.foundDamage || [...candidates].some((one) => recovery.wasCommitted(one));
  return isLost ? candidates : new Set();
}
