import type { Clock } from '../lib/clock.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { Observer } from '../uploads/ports.ts';
import { EventFeed } from './event-feed.ts';
import { EventHub } from './events.ts';
import { UsageMeter } from './usage.ts';
import type { MeasuredParts } from './usage.ts';
import { FOLDER_READER } from './viewer.ts';

/** The events for those who watch, and the usage. */
export interface Watching {
  readonly hub: EventHub;
  readonly meter: UsageMeter;
  /** Receive the events of the gateway. */
  readonly observers: readonly Observer[];
  /** Tells those who watch that the clock was moved: they count by it. */
  readonly clockMoved: () => void;
  readonly end: () => void;
}

/**
 * @param uploads - returns what the uploads work with; is called after the first event
 * @param measured - what else the usage is measured of
 * @param monotonic - measures real time
 */
export function createWatching(
  uploads: () => UploadDependencies,
  measured: Omit<MeasuredParts, 'uploads'>,
  monotonic: Clock,
): Watching {
  const hub = new EventHub(monotonic);
  const meter = new UsageMeter({ ...measured, uploads });
  const feed = new EventFeed({ hub, uploads, usage: () => meter.now(FOLDER_READER) });
  return {
    hub,
    meter,
    observers: [feed.observer, meter.observer],
    clockMoved: () => {
      feed.publishUsage();
    },
    end: () => {
      feed.end();
      hub.close();
    },
  };
}
