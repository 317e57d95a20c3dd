import { constants } from 'node:fs';
import { link, mkdir, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../lib/logger.ts';
import { silentLogger } from '../../lib/logger.ts';
import type {
  Body,
  ByteRange,
  ObjectStore,
  StoredBody,
  StoreRecovery,
} from '../../uploads/ports.ts';
import type { Crc64Engine } from '../hashing/crc64.ts';
import { createCrc64Engine } from '../hashing/crc64.ts';
import { digestChunks } from '../hashing/digests.ts';
import type { Hasher } from '../hashing/hasher.ts';
import type { Batch } from './batches.ts';
import { heldBytes, inBatches, writeBatch } from './batches.ts';
import { BodyMemory } from './body-memory.ts';
import { BodyStream } from './body-stream.ts';
import {
  flushFile,
  flushFolder,
  linkDurably,
  makeDurableFolder,
  remove,
  unlessMissing,
} from './files.ts';
import { clearTheWay } from './foreign-files.ts';
import { FreeSpace } from './free-space.ts';
import { Journal } from './journal.ts';
import {
  isLocator,
  LOST,
  objectFolder,
  objectPath,
  OBJECTS,
  RECOVERED,
  STAGING,
  stagingPath,
} from './layout.ts';
import type { Recovered } from './recover-journals.ts';
import { forgetRecovered, recoverJournals } from './recover-journals.ts';
import { share } from './share.ts';
import { writeStagedFile } from './staged-file.ts';

/**
 * How much is read at once, in bytes: much for a few, which is fast, and less for each of many, so that their memory
 * stays small when they all stand still.
 */
const READ = { most: 256 * 1024, least: 64 * 1024, together: 16 * 1024 * 1024 };

const NOTHING: Batch = { chunks: [], size: 0, isLast: true, release: () => undefined };

/** What hashes: threads for large bodies; small ones need an engine for their CRC. */
interface Hashing {
  readonly hasher: Hasher;
  readonly crc64: Crc64Engine;
}

/** So much is written at once, in bytes. A body that is smaller goes through the journal. */
const BATCH_BYTES = 512 * 1024;

/** Memory that the first batches of all bodies hold together, in bytes. */
const FIRST_BATCHES_BYTES = 32 * 1024 * 1024;

/** How large the later batches of a body are, in bytes: smaller for each of many. */
const LATER = { most: BATCH_BYTES, least: 32 * 1024, together: 32 * 1024 * 1024 };

/**
 * Bodies as files, `objects/<two digits>/<locator>`. A large one is `staging/<locator>` while it comes in; that name
 * stays until the body is committed, so whatever a crash interrupts can be seen in `staging/`. A small one is made
 * durable by the journal, which knows of it until it is committed.
 */
export class DiskObjectStore implements ObjectStore {
  readonly #dataDir: string;
  readonly #hashing: Hashing;
  readonly #journal: Journal;
  readonly #inProgress = new Set<string>();
  readonly #digesting = new Map<string, Promise<string | undefined>>();
  /** Subfolders of `objects/` that are there, or are being made. */
  readonly #folders = new Map<string, Promise<void>>();
  /** How many bodies are open. */
  #beingRead = 0;
  readonly #space: FreeSpace;
  readonly #memory = new BodyMemory(FIRST_BATCHES_BYTES);
  /** How many bodies are coming in that have more than their first batch. */
  #largeOnes = 0;
  readonly #logger: Logger;
  #recovered: Recovered | undefined;

  private constructor(
    dataDir: string,
    hashing: Hashing,
    { minFree, logger, recovered }: { minFree: number; logger: Logger; recovered: Recovered },
  ) {
    this.#dataDir = dataDir;
    this.#hashing = hashing;
    this.#journal = new Journal(dataDir, undefined, logger);
    this.#space = new FreeSpace(dataDir, minFree);
    this.#logger = logger;
    this.#recovered = recovered;
  }

  /**
   * Opens the store in a folder. Subfolders of `objects/` are made when they are first needed.
   * @param minFree - bytes of the disk that bodies leave free; 0 for none
   */
  static async open(
    dataDir: string,
    hasher: Hasher,
    minFree = 0,
    logger: Logger = silentLogger,
  ): Promise<DiskObjectStore> {
    for (const folder of [STAGING, OBJECTS, RECOVERED]) {
      await mkdir(join(dataDir, folder), { recursive: true });
    }
    await flushFolder(dataDir);
    await clearTheWay(dataDir, logger);
    const recovered = await recoverJournals(dataDir, logger);
    const hashing = { hasher, crc64: createCrc64Engine() };
    return new DiskObjectStore(dataDir, hashing, { minFree, logger, recovered });
  }

  async put(
    locator: string,
    bytes: AsyncIterable<Uint8Array>,
    announcedSize = 0,
  ): Promise<StoredBody> {
    await this.#space.require(announcedSize);
    this.#inProgress.add(locator);
    let first = NOTHING;
    try {
      const atMost = announcedSize > 0 ? Math.min(announcedSize, BATCH_BYTES) : BATCH_BYTES;
      const batches = inBatches(this.#space.guard(bytes), {
        borrow: () => this.#memory.borrow(heldBytes(atMost)),
        first: BATCH_BYTES,
        others: () => share(LATER, this.#largeOnes),
      });
      first = (await batches.next()).value ?? NOTHING;
      if (first.isLast) return await this.#putSmall(locator, first);
      return await this.#putLarge(locator, first, batches);
    } catch (error) {
      // What cannot be removed now is left uncommitted, and why the body failed is what the caller must know.
      await Promise.allSettled([this.discard(locator)]);
      throw error;
    } finally {
      first.release();
    }
  }

  async commit(locator: string): Promise<void> {
    if (!this.#journal.commit(locator)) await remove(this.#stagingPath(locator));
    this.#inProgress.delete(locator);
  }

  async discard(locator: string): Promise<void> {
    try {
      // The staging name last: as long as it is there, a restart knows of the rest.
      await remove(this.#objectPath(locator));
      await this.#journal.forget(locator);
      await remove(this.#stagingPath(locator));
    } finally {
      this.#inProgress.delete(locator);
    }
  }

  release(locator: string): void {
    this.#inProgress.delete(locator);
  }

  async uncommitted(): Promise<string[]> {
    // Who asks works off what has failed; whatever kept a journal may have passed, too.
    this.#journal.retry();
    const entries = await readdir(join(this.#dataDir, STAGING), { withFileTypes: true });
    const staged = entries.filter((entry) => entry.isFile() && isLocator(entry.name));
    const names = [...staged.map(({ name }) => name), ...this.#journal.uncommitted()];
    return names.filter((name) => !this.#inProgress.has(name));
  }

  get recovery(): StoreRecovery {
    return {
      foundDamage: this.#recovered?.isDamaged ?? false,
      wasCommitted: (locator) => this.#recovered?.committed.has(locator) ?? false,
      setAside: (locator) => this.#setAside(locator),
      end: async () => {
        if (this.#recovered !== undefined) await forgetRecovered(this.#dataDir);
        this.#recovered = undefined;
      },
    };
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

  async open(locator: string, range?: ByteRange): Promise<Body | undefined> {
    const file = await unlessMissing(open(this.#objectPath(locator), constants.O_RDONLY));
    if (file === undefined) return undefined;
    this.#beingRead += 1;
    const stream = new BodyStream(file, range, share(READ, this.#beingRead));
    stream.once('close', () => {
      this.#beingRead -= 1;
    });
    return stream;
  }

  async stat(locator: string): Promise<{ readonly size: number } | undefined> {
    return unlessMissing(stat(this.#objectPath(locator)));
  }

  async delete(locator: string): Promise<void> {
    await remove(this.#objectPath(locator));
    await this.#journal.forget(locator);
  }

  async close(): Promise<void> {
    await this.#journal.close();
    await this.#hashing.hasher.close();
  }

  async #putSmall(locator: string, body: Batch): Promise<StoredBody> {
    const digests = digestChunks(body.chunks, this.#hashing.crc64);
    // Whoever sees the file must find the body in the journal.
    const { flushed } = await this.#journal.append(locator, { ...body, md5: digests.md5 });
    const [, written] = await Promise.allSettled([flushed, this.#writeFile(locator, body)]);
    await flushed;
    if (written.status === 'rejected') throw written.reason;
    return { size: body.size, ...digests };
  }

  async #writeFile(locator: string, body: Batch): Promise<void> {
    await this.#makeFolder(locator);
    await using file = await open(this.#objectPath(locator), 'wx');
    await writeBatch(file, body, 0);
  }

  async #putLarge(locator: string, first: Batch, rest: AsyncIterable<Batch>): Promise<StoredBody> {
    const staged = this.#stagingPath(locator);
    this.#largeOnes += 1;
    const writing = writeStagedFile(staged, first, rest, this.#hashing.hasher);
    const body = await writing.finally(() => (this.#largeOnes -= 1));
    await this.#makeFolder(locator);
    await link(staged, this.#objectPath(locator));
    await flushFolder(this.#objectFolder(locator));
    return body;
  }

  async #setAside(locator: string): Promise<boolean> {
    const path = this.#objectPath(locator);
    const found = await this.stat(locator);
    // What is being staged gets this name when it is whole.
    if (found === undefined) return false;
    await flushFile(path);
    const kept = await linkDurably(path, join(this.#dataDir, LOST), locator);
    const { size } = found;
    this.#logger.warn({ locator, size, kept }, 'set aside a body that is not in the ledger');
    await this.discard(locator);
    return true;
  }

  async #makeFolder(locator: string): Promise<void> {
    const folder = this.#objectFolder(locator);
    const making = this.#folders.get(folder) ?? makeDurableFolder(folder);
    this.#folders.set(folder, making);
    try {
      await making;
    } catch (error) {
      this.#folders.delete(folder);
      throw error;
    }
  }

  async #computeDigest(locator: string, algorithm: 'sha256'): Promise<string | undefined> {
    try {
      return await this.#hashing.hasher[algorithm](this.#objectPath(locator));
    } catch (error) {
      if ((await this.stat(locator)) === undefined) return undefined;
      throw error;
    }
  }

  #stagingPath(locator: string): string {
    return stagingPath(this.#dataDir, locator);
  }

  #objectFolder(locator: string): string {
    return objectFolder(this.#dataDir, locator);
  }

  #objectPath(locator: string): string {
    return objectPath(this.#dataDir, locator);
  }
}
