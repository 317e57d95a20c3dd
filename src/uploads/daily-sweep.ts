import type { UploadLedger } from './ports.ts';
import type { SharedState } from './shared-state.ts';

/**
 * Finds bodies of a store that no upload has, and gives them up; the purge deletes them.
 * @param orphanAge - milliseconds for which a body may be on its way to its row
 */
export type StoreSweep = (
  ledger: Pick<UploadLedger, 'disown'>,
  orphanAge: number,
  signal?: AbortSignal,
) => Promise<SweepReport>;

/** What a sweep has found. */
export interface SweepReport {
  /** Bodies in the store. */
  readonly bodies: number;
  /** Bodies without a row; the purge deletes them. */
  readonly disowned: number;
  /** Multipart uploads that never ended; they are ended. */
  readonly uploads: number;
}

/** A little less than a day, so that a run of each day is never a moment too early. */
export const SWEEP_INTERVAL_MS = 23.5 * 3_600_000;

interface DailySweep {
  readonly sweep: StoreSweep;
  readonly ledger: Pick<UploadLedger, 'disown'>;
  /** Absent: no other gateway uses the ledger. */
  readonly shared?: Pick<SharedState, 'beginJob'> | undefined;
  readonly orphanAge: number;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
}

/** Makes a job that sweeps a store once a day, on one of the gateways that share it. */
export function dailySweep({
  ledger,
  monotonic,
  orphanAge,
  shared,
  sweep,
}: DailySweep): (signal: AbortSignal) => Promise<void> {
  let lookedAt = -Infinity;
  return async (signal) => {
    const now = monotonic();
    if (now - lookedAt < SWEEP_INTERVAL_MS / (shared ? 24 : 1)) return;
    lookedAt = now;
    if (shared !== undefined && !(await shared.beginJob('sweep', SWEEP_INTERVAL_MS))) return;
    await sweep(ledger, orphanAge, signal);
  };
}
