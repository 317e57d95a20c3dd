import type { Clock } from '../lib/clock.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { LedgerTotals } from '../uploads/ledger-totals.ts';
import type { Observer } from '../uploads/ports.ts';
import { EventFeed } from './event-feed.ts';
import { EventHub } from './events.ts';
import { UsageMeter } from './usage.ts';
import { FOLDER_READER } from './viewer.ts';

/** The events for those who watch, and the usage. */
export interface Watching {
  readonly hub: EventHub;
  readonly meter: UsageMeter;
  /** Receives the events of the gateway. */
  readonly observer: Observer;
  readonly end: () => void;
}

/**
 * @param uploads - returns what the uploads work with; is called after the first event
 * @param totals - counts what the ledger has
 * @param monotonic - measures real time
 */
export function createWatching(
  uploads: () => UploadDependencies,
  totals: LedgerTotals,
  monotonic: Clock,
): Watching {
  const hub = new EventHub(monotonic);
  const meter = new UsageMeter({ totals, uploads });
  const feed = new EventFeed({ hub, uploads, usage: () => meter.now(FOLDER_READER) });
  return {
    hub,
    meter,
    observer: feed.observer,
    end: () => {
      feed.end();
      hub.close();
    },
  };
}
