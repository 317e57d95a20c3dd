import type { UploadParts } from './parts.ts';

/** What a crash or a failure had left, and what became of it. */
export interface ReconcileReport {
  /** Bodies whose row had been written: kept. */
  readonly settled: number;
  /** Bodies that nobody was told of: removed. */
  readonly discarded: number;
}

/**
 * Settles what a crash or a failing ledger left between the object store and the ledger. It reads the unsettled
 * bodies alone, whatever the number of uploads; rows in `purging` are finished by the next purge.
 */
export async function reconcile(
  parts: Pick<UploadParts, 'ledger' | 'store'>,
): Promise<ReconcileReport> {
  const { ledger, store } = parts;
  const report = { settled: 0, discarded: 0 };
  for (const locator of await store.unsettled()) {
    if (await ledger.holds(locator)) {
      await store.settle(locator);
      report.settled += 1;
    } else {
      await store.discard(locator);
      report.discarded += 1;
    }
  }
  return report;
}
