import type { Clock } from '../lib/clock.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { Observer } from '../uploads/ports.ts';
import { EventFeed } from './event-feed.ts';
import { EventHub } from './events.ts';
import { createQueries } from './queries.ts';
import { FOLDER_READER } from './viewer.ts';

/** The events for those who watch. */
export interface Watching {
  readonly hub: EventHub;
  /** Receives the events of the gateway. */
  readonly observer: Observer;
  readonly end: () => void;
}

/**
 * @param uploads - returns what the uploads work with; is called after the first event
 * @param monotonic - measures real time
 */
export function createWatching(uploads: () => UploadDependencies, monotonic: Clock): Watching {
  const hub = new EventHub(monotonic);
  const usage = async () => createQueries(uploads()).usage(FOLDER_READER);
  const feed = new EventFeed({ hub, uploads, usage });
  return {
    hub,
    observer: feed.observer,
    end: () => {
      feed.end();
      hub.close();
    },
  };
}
