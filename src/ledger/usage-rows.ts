import { SAMPLE_MS } from '../uploads/usage-history.ts';
import type { UsageSample } from '../uploads/usage-history.ts';

/** Columns with how much there was. */
export const LEVELS = [
  ...['issued', 'stored', 'stored_bytes', 'claimed', 'claimed_bytes', 'purging', 'purging_bytes'],
  ...['purged', 'purged_bytes', 'packages', 'disk_free'],
] as const;
/** Columns with what has happened. */
export const EVENTS = [
  ...['refusals', 'unclaimed', 'unclaimed_bytes', 'replaced', 'replaced_bytes'],
  ...['deleted', 'deleted_bytes', 'retired', 'retired_bytes'],
] as const;

export type SampleRow = Readonly<
  Record<'at' | Exclude<(typeof LEVELS)[number], 'disk_free'> | (typeof EVENTS)[number], number>
> & { readonly disk_free: number | null };

/** The columns of `usage_samples`. */
export const SAMPLE_COLUMNS = ['slot', 'at', ...LEVELS, ...EVENTS];
const CHANGES = [
  ...['at', ...LEVELS].map((name) => `${name} = excluded.${name}`),
  ...EVENTS.map((name) => `${name} = usage_samples.${name} + excluded.${name}`),
];

/** Adds a sample, or changes the one of the same slot. */
export const ADD_SAMPLE = `INSERT INTO usage_samples (${SAMPLE_COLUMNS.join(', ')})
       VALUES (${SAMPLE_COLUMNS.map((name) => `:${name}`).join(', ')})
       ON CONFLICT (slot) DO UPDATE SET ${CHANGES.join(', ')}`;

export function slotOf(time: number): number {
  return Math.floor(time / SAMPLE_MS);
}

export function toSampleRow({
  at,
  diskFree,
  packages,
  purges,
  refusals,
  uploads,
}: UsageSample): SampleRow & { readonly slot: number } {
  return {
    ...{ slot: slotOf(at), at, packages, refusals, disk_free: diskFree ?? null },
    issued: uploads.issued.count,
    stored: uploads.stored.count,
    stored_bytes: uploads.stored.bytes,
    claimed: uploads.claimed.count,
    claimed_bytes: uploads.claimed.bytes,
    purging: uploads.purging.count,
    purging_bytes: uploads.purging.bytes,
    purged: uploads.purged.count,
    purged_bytes: uploads.purged.bytes,
    unclaimed: purges.unclaimed.count,
    unclaimed_bytes: purges.unclaimed.bytes,
    replaced: purges.replaced.count,
    replaced_bytes: purges.replaced.bytes,
    deleted: purges.deleted.count,
    deleted_bytes: purges.deleted.bytes,
    retired: purges.retired.count,
    retired_bytes: purges.retired.bytes,
  };
}

export function toSample(row: SampleRow): UsageSample {
  return {
    ...{ at: row.at, packages: row.packages, refusals: row.refusals },
    ...(row.disk_free !== null && { diskFree: row.disk_free }),
    uploads: {
      issued: { count: row.issued, bytes: 0 },
      stored: { count: row.stored, bytes: row.stored_bytes },
      claimed: { count: row.claimed, bytes: row.claimed_bytes },
      purging: { count: row.purging, bytes: row.purging_bytes },
      purged: { count: row.purged, bytes: row.purged_bytes },
    },
    purges: {
      unclaimed: { count: row.unclaimed, bytes: row.unclaimed_bytes },
      replaced: { count: row.replaced, bytes: row.replaced_bytes },
      deleted: { count: row.deleted, bytes: row.deleted_bytes },
      retired: { count: row.retired, bytes: row.retired_bytes },
    },
  };
}
