import type { PurgingBody } from '../uploads/ports.ts';
import type { PurgeReason } from '../uploads/upload.ts';
import type { UsageEvents } from '../uploads/usage-history.ts';

const NONE = { count: 0, bytes: 0 };
/** Nothing has happened. */
export const NO_EVENTS: UsageEvents = {
  purges: { unclaimed: NONE, replaced: NONE, deleted: NONE, retired: NONE },
  refusals: 0,
};

/** @returns what has happened in several spans of time together */
export function sumEvents(spans: readonly UsageEvents[]): UsageEvents {
  const sumOf = (reason: PurgeReason): UsageEvents['purges'][PurgeReason] => ({
    count: spans.reduce((sum, { purges }) => sum + purges[reason].count, 0),
    bytes: spans.reduce((sum, { purges }) => sum + purges[reason].bytes, 0),
  });
  return {
    purges: {
      unclaimed: sumOf('unclaimed'),
      replaced: sumOf('replaced'),
      deleted: sumOf('deleted'),
      retired: sumOf('retired'),
    },
    refusals: spans.reduce((sum, { refusals }) => sum + refusals, 0),
  };
}

/** Counts what happens until it is written into a sample. */
export class EventCounter {
  #events = NO_EVENTS;

  /** What has happened since it was taken last. */
  get events(): UsageEvents {
    return this.#events;
  }

  countPurge({ reason, size }: Pick<PurgingBody, 'reason' | 'size'>): void {
    const { purges } = this.#events;
    const { bytes, count } = purges[reason];
    const more = { count: count + 1, bytes: bytes + size };
    this.#events = { ...this.#events, purges: { ...purges, [reason]: more } };
  }

  countRefusal(): void {
    this.#events = { ...this.#events, refusals: this.#events.refusals + 1 };
  }

  /** @returns what was counted, and counts from zero */
  take(): UsageEvents {
    const taken = this.#events;
    this.#events = NO_EVENTS;
    return taken;
  }

  /** Adds what was taken, and could not be written. */
  putBack(taken: UsageEvents): void {
    this.#events = sumEvents([taken, this.#events]);
  }
}
