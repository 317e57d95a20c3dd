import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Logger } from '../../lib/logger.ts';
import { silentLogger } from '../../lib/logger.ts';
import type {
  Body,
  ByteRange,
  FailedTryListener,
  ObjectStore,
  StoreBacklog,
  StoredBody,
} from '../../uploads/ports.ts';
import { StoreUnavailable } from '../../uploads/unavailable.ts';
import type { Batch } from '../batches.ts';
import { EMPTY_BATCH, inBatches, maxHeldBytes } from '../batches.ts';
import { BodyMemory, share } from '../body-memory.ts';
import type { Crc64Engine } from '../hashing/crc64.ts';
import { createCrc64Engine } from '../hashing/crc64.ts';
import { digestChunks } from '../hashing/digests.ts';
import type { Hasher } from '../hashing/hasher.ts';
import { Background } from './background.ts';
import { putLarge } from './large-body.ts';
import type { LargeBody } from './large-body.ts';
import { SMALL_BODY_BYTES } from './part-sizes.ts';
import { Spool } from './spool.ts';
import type { Content } from './store-client.ts';
import { StoredBodies } from './stored-bodies.ts';
import type { StoreAccess } from './stored-bodies.ts';

/** Size of the later batches of a body on their way to the spool, in bytes; smaller when there are many bodies. */
const LATER_BATCHES = { max: SMALL_BODY_BYTES, min: 32 * 1024, total: 32 * 1024 * 1024 };

/**
 * What a gathered byte counts in the memory: once more than it is, because a byte that was sent still takes memory until
 * the next garbage collection. Twice as many bodies fit as are sent at the same time.
 */
const COST = 2;

/** What a gateway needs to keep its bodies in a store. */
export interface S3StoreOptions extends StoreAccess {
  /** Folder whose spool holds large bodies while they are sent. No other process may use it. */
  readonly dataDir: string;
  readonly hasher: Hasher;
  /** Bytes of the disk that the spool must leave free; 0 for no limit. */
  readonly minFree?: number;
}

/**
 * Keeps bodies in an S3-compatible store that several gateways may share. A body that a killed gateway has left has no
 * row; only a list of all bodies finds it: the sweep. So `uncommitted` names the bodies of this process alone.
 */
export class S3ObjectStore implements ObjectStore {
  readonly #bodies: StoredBodies;
  readonly #spool: Spool;
  readonly #hasher: Hasher;
  readonly #crc64: Crc64Engine = createCrc64Engine();
  readonly #memory: BodyMemory;
  readonly #logger: Logger;
  readonly #background = new Background();
  /** Bodies that this process has given up. */
  readonly #released = new Set<string>();
  readonly #digesting = new Map<string, Promise<string | undefined>>();
  #largeWrites = 0;

  private constructor(options: S3StoreOptions, spool: Spool) {
    this.#bodies = new StoredBodies(options);
    this.#spool = spool;
    this.#hasher = options.hasher;
    const { memory, memoryPatience } = this.#bodies.limits;
    this.#memory = new BodyMemory(memory, memoryPatience);
    this.#bodies.calls.onStandstill((error) => {
      this.#memory.refuseWaiting(error);
    });
    this.#logger = options.logger ?? silentLogger;
  }

  /** Opens the store, and empties its spool. Asks the store whether it can be used, but does not need its answer. */
  static async open(options: S3StoreOptions): Promise<S3ObjectStore> {
    const spool = await Spool.open(options.dataDir, options.minFree ?? 0);
    const store = new S3ObjectStore(options, spool);
    await store.#greet();
    return store;
  }

  /** When the store has begun to fail, in Unix milliseconds; undefined while it answers. */
  failingSince(): number | undefined {
    return this.#bodies.health.failingSince;
  }

  onFailedTry(listener: FailedTryListener): void {
    this.#bodies.calls.onFailedTry(listener);
  }

  async put(
    locator: string,
    bytes: AsyncIterable<Uint8Array>,
    announcedSize = 0,
  ): Promise<StoredBody> {
    if (announcedSize > SMALL_BODY_BYTES) await this.#spool.requireRoom(announcedSize);
    const most = announcedSize > 0 ? Math.min(announcedSize, SMALL_BODY_BYTES) : SMALL_BODY_BYTES;
    const batches = inBatches(bytes, {
      acquire: () => this.#memory.acquire(COST * maxHeldBytes(most)),
      first: SMALL_BODY_BYTES,
      others: () => share(LATER_BATCHES, this.#largeWrites),
    });
    // A body that fails here, or before it is sent, has left nothing in the store.
    const first = (await batches.next()).value ?? EMPTY_BATCH;
    const progress = { isSent: false };
    const onSend = (): void => {
      progress.isSent = true;
    };
    try {
      if (first.isLast) return await this.#putSmall(locator, first, onSend);
      return await this.#putLarge({ locator, first, rest: batches, announcedSize, onSend });
    } catch (error) {
      if (progress.isSent) this.#giveUp(locator, error);
      throw error;
    } finally {
      first.release();
    }
  }

  async commit(locator: string): Promise<void> {
    this.#released.delete(locator);
  }

  async discard(locator: string): Promise<void> {
    await this.delete(locator);
    this.#released.delete(locator);
  }

  release(locator: string): void {
    this.#released.add(locator);
  }

  async uncommitted(): Promise<string[]> {
    return [...this.#released];
  }

  digest(locator: string, algorithm: 'sha256'): Promise<string | undefined> {
    const running = this.#digesting.get(locator);
    if (running !== undefined) return running;
    const digesting = this.#computeDigest(locator, algorithm).finally(() => {
      this.#digesting.delete(locator);
    });
    this.#digesting.set(locator, digesting);
    return digesting;
  }

  open(locator: string, range?: ByteRange): Promise<Body | undefined> {
    return this.#bodies.open(locator, range);
  }

  stat(locator: string): Promise<{ readonly size: number } | undefined> {
    return this.#bodies.stat(locator);
  }

  delete(locator: string): Promise<void> {
    return this.#bodies.delete(locator);
  }

  backlog(): StoreBacklog {
    return { fullJournals: 0, digests: this.#digesting.size };
  }

  async requireWritable(): Promise<void> {
    const { calls, client } = this.#bodies;
    await this.#spool.requireWritable();
    await calls.request(() => client.checkBucket());
  }

  async close(): Promise<void> {
    const { client, limits } = this.#bodies;
    await this.#background.drain(limits.closeTimeout);
    client.close();
    await this.#hasher.close();
  }

  async #greet(): Promise<void> {
    const { calls, client, folder } = this.#bodies;
    try {
      await calls.request(() => client.checkBucket());
      const rules = await calls.request(() => client.expireUploads(folder));
      if (rules !== 'others') return;
      const message = 'the rules of the bucket do not end unfinished multipart uploads: add one';
      this.#logger.warn({ after: '1 day' }, message);
    } catch (error) {
      // It may answer later, and it may not allow rules; the sweep ends uploads, too.
      this.#logger.warn({ err: error }, 'could not set up the store of the bodies');
    }
  }

  async #putSmall(
    locator: string,
    { chunks, size }: Batch,
    onSend: () => void,
  ): Promise<StoredBody> {
    const digests = digestChunks(chunks, this.#crc64);
    const content = memoryContent(chunks, size, digests.md5);
    const { calls, client } = this.#bodies;
    await calls.request(() => {
      onSend();
      return client.put(this.#bodies.keyOf(locator), content);
    });
    return { size, ...digests };
  }

  async #putLarge(body: Omit<LargeBody, 'key'>): Promise<StoredBody> {
    const { calls, client, limits } = this.#bodies;
    this.#largeWrites += 1;
    try {
      return await putLarge(
        {
          ...{ calls, client, hasher: this.#hasher, spool: this.#spool },
          partsAtOnce: limits.partsOfOneUpload,
          inBackground: (task) => this.#inBackground(body.locator, task),
        },
        { ...body, key: this.#bodies.keyOf(body.locator) },
      );
    } finally {
      this.#largeWrites -= 1;
    }
  }

  /** The store may have the body, or get it later. While it does not answer, this is left to the next reconcile. */
  #giveUp(locator: string, error: unknown): void {
    this.release(locator);
    if (error instanceof StoreUnavailable) return;
    this.#inBackground(locator, () => this.discard(locator));
  }

  #inBackground(locator: string, task: () => Promise<void>): void {
    this.#background.run(async () => {
      try {
        await task();
      } catch (error) {
        const message =
          'could not remove a failed body from the store; the purge or the sweep will';
        this.#logger.debug({ err: error, locator }, message);
      }
    });
  }

  async #computeDigest(locator: string, algorithm: 'sha256'): Promise<string | undefined> {
    const body = await this.open(locator);
    if (body === undefined) return undefined;
    const hash = createHash(algorithm);
    const chunks: AsyncIterable<Uint8Array> = body;
    for await (const chunk of chunks) hash.update(chunk);
    return hash.digest('hex');
  }
}

/** @returns the bytes of a gathered body, to send them */
function memoryContent(chunks: readonly Uint8Array[], size: number, md5: string): Content {
  const [first = Buffer.alloc(0)] = chunks;
  return { size, md5, open: () => (chunks.length > 1 ? Readable.from([...chunks]) : first) };
}
