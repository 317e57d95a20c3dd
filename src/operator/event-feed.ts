import { clearTimeout, setTimeout } from '../lib/timers.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { Observer, UploadLedger } from '../uploads/ports.ts';
import type { Upload } from '../uploads/upload.ts';
import type { EventHub } from './events.ts';
import type { UsageShape } from './shapes.ts';
import { showPackage, showUpload } from './show.ts';

/** What the feed works with. */
export interface FeedDependencies {
  readonly hub: EventHub;
  /** Returns what the uploads work with. */
  readonly uploads: () => Pick<UploadDependencies, 'ledger' | 'logger' | 'rules'>;
  /** Counts everything that there is now. */
  readonly usage: () => Promise<UsageShape>;
}

/** How often the usage is counted while it changes and has watchers, in milliseconds. */
const USAGE_MS = 5000;

/** Makes the events of uploads and packages, and of the usage that they change. */
export class EventFeed {
  readonly #deps: FeedDependencies;
  #counting: NodeJS.Timeout | undefined;

  /** Receives the events of a gateway. Without watchers it only asks the hub whether there are any. */
  readonly observer: Observer = {
    issued: (grant) => {
      if (!this.#deps.hub.isWatched) return;
      const { key, ...issue } = grant;
      this.#publish({ state: 'issued', key, issue });
    },
    stored: (key) => {
      if (this.#deps.hub.isWatched) this.#publishLater((ledger) => ledger.findUpload(key));
    },
    claimed: (firmwarePackage) => {
      const { hub } = this.#deps;
      if (!hub.isWatched) return;
      hub.publish('package', showPackage(firmwarePackage), firmwarePackage.accountId);
      for (const { key } of firmwarePackage.files)
        this.#publishLater((ledger) => ledger.findUpload(key));
    },
    purged: ({ key }) => {
      if (this.#deps.hub.isWatched) this.#publishLater((ledger) => ledger.findPurged(key));
    },
  };

  constructor(deps: FeedDependencies) {
    this.#deps = deps;
  }

  /** Stops to count. */
  end(): void {
    clearTimeout(this.#counting);
  }

  #publishLater(find: (ledger: UploadLedger) => Promise<Upload | undefined>): void {
    const { ledger, logger } = this.#deps.uploads();
    find(ledger)
      .then((upload) => {
        if (upload !== undefined) this.#publish(upload);
      })
      .catch((error: unknown) => {
        logger.error({ err: error }, 'could not tell those who watch of an upload');
      });
  }

  #publish(upload: Upload): void {
    const { hub, uploads } = this.#deps;
    const { claimTtl } = uploads().rules;
    hub.publish('upload', showUpload(upload, claimTtl), upload.issue?.accountId);
    if (this.#counting !== undefined) return;
    this.#counting = setTimeout(() => {
      this.#counting = undefined;
      this.#publishUsage();
    }, USAGE_MS);
    this.#counting.unref();
  }

  #publishUsage(): void {
    const { hub, uploads, usage } = this.#deps;
    if (!hub.isWatched) return;
    usage()
      .then((counted) => {
        hub.publish('usage', counted);
      })
      .catch((error: unknown) => {
        uploads().logger.error({ err: error }, 'could not count the uploads for those who watch');
      });
  }
}
