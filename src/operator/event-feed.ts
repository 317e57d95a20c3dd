import { clearTimeout, setTimeout } from '../lib/timers.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { Observer, UploadLedger } from '../uploads/ports.ts';
import type { Upload } from '../uploads/upload.ts';
import type { EventHub } from './events.ts';
import type { UsageShape } from './usage-shapes.ts';
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

  /** Receives the events of a gateway. Without watchers it only asks the hub what is wanted. */
  readonly observer: Observer = {
    issued: (grant) => {
      if (!this.#wantsUploads) return;
      const { key, ...issue } = grant;
      this.#publish({ state: 'issued', key, issue });
    },
    stored: (key, object, issue) => {
      if (this.#wantsUploads)
        this.#publish({ state: 'stored', key, object, ...(issue && { issue }) });
    },
    claimed: (firmwarePackage) => {
      const shown = (): object => showPackage(firmwarePackage);
      this.#deps.hub.publish('package', shown, firmwarePackage.accountId);
      for (const { key } of firmwarePackage.files)
        this.#publishLater((ledger) => ledger.findUpload(key));
    },
    modified: (packageId) => {
      this.#publishPackageLater(packageId);
    },
    packageDeleted: (firmwarePackage) => {
      const deleted = (): object => ({ ...showPackage(firmwarePackage), deleted: true });
      this.#deps.hub.publish('package', deleted, firmwarePackage.accountId);
      for (const { key } of firmwarePackage.files) this.#publishPurgedLater(key);
    },
    deleted: (key) => {
      this.#publishPurgedLater(key);
    },
    purged: ({ key }) => {
      this.#publishPurgedLater(key);
    },
  };

  constructor(deps: FeedDependencies) {
    this.#deps = deps;
  }

  /** The usage changes with the uploads. */
  get #wantsUploads(): boolean {
    const { hub } = this.#deps;
    return hub.wants('upload') || hub.wants('usage');
  }

  /** Publishes the usage now, with the time of the gateway. */
  publishUsage(): void {
    const { hub, usage } = this.#deps;
    if (!hub.wants('usage')) return;
    this.#later(async () => {
      const counted = await usage();
      hub.publish('usage', () => counted);
    }, 'could not count the uploads for those who watch');
  }

  /** Stops to count. */
  end(): void {
    clearTimeout(this.#counting);
  }

  #publishPurgedLater(key: string): void {
    this.#publishLater((ledger) => ledger.findPurged(key));
  }

  #publishLater(find: (ledger: UploadLedger) => Promise<Upload | undefined>): void {
    if (!this.#wantsUploads) return;
    this.#later(async () => {
      const upload = await find(this.#deps.uploads().ledger);
      if (upload !== undefined) this.#publish(upload);
    }, 'could not tell those who watch of an upload');
  }

  #publishPackageLater(packageId: string): void {
    if (!this.#deps.hub.wants('package')) return;
    this.#later(async () => {
      const { hub, uploads } = this.#deps;
      const found = await uploads().ledger.findPackageById(packageId);
      if (found !== undefined) hub.publish('package', () => showPackage(found), found.accountId);
    }, 'could not tell those who watch of a firmware package');
  }

  #later(publish: () => Promise<void>, failure: string): void {
    publish().catch((error: unknown) => {
      this.#deps.uploads().logger.error({ err: error }, failure);
    });
  }

  #publish(upload: Upload): void {
    const { hub, uploads } = this.#deps;
    const { claimTtl } = uploads().rules;
    hub.publish('upload', () => showUpload(upload, claimTtl), upload.issue?.accountId);
    if (this.#counting !== undefined) return;
    this.#counting = setTimeout(() => {
      this.#counting = undefined;
      this.publishUsage();
    }, USAGE_MS);
    this.#counting.unref();
  }
}
