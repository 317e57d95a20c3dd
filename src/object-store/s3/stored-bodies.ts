import { Readable } from 'node:stream';
import type { Clock } from '../../lib/clock.ts';
import { wallClock } from '../../lib/clock.ts';
import { isLocator, randomFraction } from '../../lib/ids.ts';
import type { Logger } from '../../lib/logger.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { Body, ByteRange } from '../../uploads/ports.ts';
import type { StoreLimits } from './limits.ts';
import { STORE_LIMITS } from './limits.ts';
import { StoreCalls, unlessAbsent } from './store-calls.ts';
import type { ArrivingObject, FoundObject, Page, StoreClient } from './store-client.ts';
import { StoreHealth } from './store-health.ts';
import { readObject } from './stored-object-stream.ts';

/** How a store in the network is used. */
export interface StoreAccess {
  readonly client: StoreClient;
  /** What messages call the store, such as `s3://bucket/prefix`; without keys. */
  readonly name: string;
  /** What the names of its objects begin with: empty, or ends with a slash. */
  readonly prefix: string;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly limits?: StoreLimits;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/** The bodies in a store: the objects `<prefix>bodies/<locator>`. */
export class StoredBodies {
  readonly client: StoreClient;
  readonly calls: StoreCalls;
  readonly health: StoreHealth;
  readonly limits: StoreLimits;
  /** What the keys of all bodies begin with. */
  readonly folder: string;

  constructor({ client, name, prefix, ...options }: StoreAccess) {
    const { clock = wallClock, limits = STORE_LIMITS, logger = silentLogger } = options;
    this.client = client;
    this.health = new StoreHealth(name, clock, logger);
    this.calls = new StoreCalls(name, limits, this.health, options.random ?? randomFraction);
    this.limits = limits;
    this.folder = `${prefix}bodies/`;
  }

  keyOf(locator: string): string {
    return this.folder + locator;
  }

  /** @returns undefined for an object that cannot be a body */
  locatorOf(key: string): string | undefined {
    const name = key.slice(this.folder.length);
    return isLocator(name) ? name : undefined;
  }

  /** @returns undefined when there is no such body */
  async open(locator: string, range?: ByteRange): Promise<Body | undefined> {
    const first = await this.#get(locator, range);
    if (first === undefined) return undefined;
    const { resumptions, stallTimeout } = this.limits;
    const start = range?.start ?? 0;
    const resume = (offset: number): Promise<ArrivingObject | undefined> =>
      this.#get(locator, { start: start + offset, end: start + first.size - 1 });
    const onBreak = (isTriedAgain: boolean): void => {
      this.calls.noteBreak(isTriedAgain);
    };
    const body = Readable.from(readObject({ first, resume, resumptions, stallTimeout, onBreak }));
    // A reader may go before it has read anything: the generator has not begun then, and closes nothing.
    body.once('close', () => first.bytes.destroy());
    return body;
  }

  /** @returns undefined when there is no such body */
  describe(locator: string): Promise<(FoundObject & { readonly now: number }) | undefined> {
    return unlessAbsent(this.calls.request(() => this.client.head(this.keyOf(locator))));
  }

  /** @returns undefined when there is no such body */
  async stat(locator: string): Promise<{ readonly size: number } | undefined> {
    const found = await this.describe(locator);
    return found && { size: found.size };
  }

  async delete(locator: string): Promise<void> {
    await unlessAbsent(this.calls.request(() => this.client.delete(this.keyOf(locator))));
  }

  /** Lists all objects that may be bodies, in the order of their locators. */
  pages(): AsyncGenerator<Page<FoundObject>, void, undefined> {
    return allPages((next) => this.calls.request(() => this.client.list(this.folder, next)));
  }

  #get(locator: string, range: ByteRange | undefined): Promise<ArrivingObject | undefined> {
    return unlessAbsent(this.calls.read(() => this.client.get(this.keyOf(locator), range)));
  }
}

/** Reads a list to its end. */
export async function* allPages<Item>(
  read: (next: string | undefined) => Promise<Page<Item>>,
): AsyncGenerator<Page<Item>, void, undefined> {
  let next: string | undefined;
  do {
    const page = await read(next);
    yield page;
    next = page.next;
  } while (next !== undefined);
}
