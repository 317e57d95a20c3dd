import { constants } from 'node:fs';
import { access, link, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../lib/logger.ts';
import { silentLogger } from '../../lib/logger.ts';
import { makePrivate, makePrivateFolders } from '../../lib/private-files.ts';
import type {
  Body,
  ByteRange,
  ObjectStore,
  StoreBacklog,
  StoredBody,
  StoreRecovery,
} from '../../uploads/ports.ts';
import type { Crc64Engine } from '../hashing/crc64.ts';
import { createCrc64Engine } from '../hashing/crc64.ts';
import { digestChunks } from '../hashing/digests.ts';
import type { Hasher } from '../hashing/hasher.ts';
import type { Batch } from '../batches.ts';
import { EMPTY_BATCH, inBatches, maxHeldBytes, writeBatch } from '../batches.ts';
import { BodyMemory, share } from '../body-memory.ts';
import { BodyStream } from './body-stream.ts';
import { flushFile, flushFolder, linkDurably, remove, unlessMissing } from '../files.ts';
import { handleForeignFiles } from './foreign-files.ts';
import { FreeSpace } from '../free-space.ts';
import { withFile } from '../open-file.ts';
import { Journal } from './journal.ts';
import {
  FOLDERS,
  LOST,
  objectFolder,
  objectPath,
  OBJECTS,
  RECOVERED,
  STAGING,
  stagingPath,
} from './layout.ts';
import { ObjectFolders } from './object-folders.ts';
import { RecentBodies } from './recent-bodies.ts';
import type { Recovered } from './recover-journals.ts';
import { forgetRecovered, recoverJournals } from './recover-journals.ts';
import { isLocator } from '../../lib/ids.ts';
import { writeStagedFile } from './staged-file.ts';

/**
 * The chunk size of bodies that are read, in bytes. Large chunks are faster; smaller ones limit the memory when many
 * clients stop reading.
 */
const READ_CHUNKS = { max: 256 * 1024, min: 64 * 1024, total: 16 * 1024 * 1024 };

interface Hashing {
  /** For large bodies, and for SHA-256 on request: works on threads. */
  readonly hasher: Hasher;
  /** For small bodies. */
  readonly crc64: Crc64Engine;
}

/** Size of a write, in bytes. Smaller bodies go through the journal. */
const BATCH_BYTES = 512 * 1024;

/** Memory for the first batches of all bodies, in bytes. */
const FIRST_BATCHES_BYTES = 32 * 1024 * 1024;

/** Size of the later batches of a body, in bytes; smaller when there are many bodies. */
const LATER_BATCHES = { max: BATCH_BYTES, min: 32 * 1024, total: 32 * 1024 * 1024 };

/**
 * Keeps bodies in files, `objects/<two characters>/<locator>`. A large body is first written to `staging/<locator>`.
 * That name is removed at the commit, so a start finds uncommitted bodies in `staging/`. A small body becomes durable
 * in the journal, which also knows whether it is committed.
 */
export class DiskObjectStore implements ObjectStore {
  readonly smallBodies = new RecentBodies((locator) => this.#objectPath(locator));
  readonly #dataDir: string;
  readonly #hashing: Hashing;
  readonly #journal: Journal;
  readonly #inProgress = new Set<string>();
  readonly #digesting = new Map<string, Promise<string | undefined>>();
  readonly #folders: ObjectFolders;
  /** Number of bodies that are open for reading. */
  #openBodies = 0;
  readonly #space: FreeSpace;
  readonly #memory = new BodyMemory(FIRST_BATCHES_BYTES);
  /** Number of large bodies that are being written. */
  #largeWrites = 0;
  readonly #logger: Logger;
  #recovered: Recovered | undefined;

  private constructor(
    dataDir: string,
    hashing: Hashing,
    { minFree, logger, recovered }: { minFree: number; logger: Logger; recovered: Recovered },
  ) {
    this.#dataDir = dataDir;
    this.#hashing = hashing;
    this.#folders = new ObjectFolders(dataDir);
    this.#journal = new Journal(dataDir, undefined, logger);
    this.#space = new FreeSpace(dataDir, minFree);
    this.#logger = logger;
    this.#recovered = recovered;
  }

  /**
   * Opens the store of a data folder. Recovers the journals of a crash.
   * @param minFree - bytes of the disk that bodies must leave free; 0 for no limit
   */
  static async open(
    dataDir: string,
    hasher: Hasher,
    minFree = 0,
    logger: Logger = silentLogger,
  ): Promise<DiskObjectStore> {
    for (const folder of [STAGING, OBJECTS, RECOVERED]) {
      makePrivateFolders(join(dataDir, folder));
    }
    for (const folder of FOLDERS) makePrivate(join(dataDir, folder));
    await flushFolder(dataDir);
    await handleForeignFiles(dataDir, logger);
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
    let first = EMPTY_BATCH;
    try {
      const maxBytes = announcedSize > 0 ? Math.min(announcedSize, BATCH_BYTES) : BATCH_BYTES;
      const batches = inBatches(bytes, {
        acquire: () => this.#memory.acquire(maxHeldBytes(maxBytes)),
        onBytes: (length) => this.#space.note(length),
        first: BATCH_BYTES,
        others: () => share(LATER_BATCHES, this.#largeWrites),
      });
      first = (await batches.next()).value ?? EMPTY_BATCH;
      if (first.isLast) return await this.#putSmall(locator, first);
      return await this.#putLarge(locator, first, batches);
    } catch (error) {
      // Ignores an error of the removal: the caller gets the first error, and the body stays uncommitted.
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
      // The staging name is removed last: with it, the next start finds the rest.
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
    // Called to reconcile after a failure, so a journal that could not be removed may be removable now.
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
    this.#openBodies += 1;
    const stream = new BodyStream(file, range, share(READ_CHUNKS, this.#openBodies));
    stream.once('close', () => {
      this.#openBodies -= 1;
    });
    return stream;
  }

  async stat(locator: string): Promise<{ readonly size: number } | undefined> {
    return unlessMissing(stat(this.#objectPath(locator)));
  }

  async delete(locator: string): Promise<void> {
    this.smallBodies.forget(locator);
    await remove(this.#objectPath(locator));
    await this.#journal.forget(locator);
  }

  backlog(): StoreBacklog {
    return { fullJournals: this.#journal.fullFiles, digests: this.#digesting.size };
  }

  async requireWritable(): Promise<void> {
    for (const folder of [STAGING, OBJECTS]) {
      await access(join(this.#dataDir, folder), constants.W_OK | constants.X_OK);
    }
    await this.#space.requireNow();
  }

  async close(): Promise<void> {
    await this.#journal.close();
    await this.#hashing.hasher.close();
  }

  async #putSmall(locator: string, body: Batch): Promise<StoredBody> {
    const digests = digestChunks(body.chunks, this.#hashing.crc64);
    // The body is in the journal before its file exists, so that `fsck` never takes the file for a body without a row.
    const { flushed } = await this.#journal.append(locator, { md5: digests.md5, ...body });
    const [, written] = await Promise.allSettled([flushed, this.#writeFile(locator, body)]);
    await flushed;
    if (written.status === 'rejected') throw written.reason;
    return { size: body.size, ...digests };
  }

  async #writeFile(locator: string, body: Batch): Promise<void> {
    await this.#folders.create(locator);
    await withFile(this.#objectPath(locator), 'wx', (file) => writeBatch(file, body, 0));
  }

  async #putLarge(locator: string, first: Batch, rest: AsyncIterable<Batch>): Promise<StoredBody> {
    const staged = this.#stagingPath(locator);
    this.#largeWrites += 1;
    const writing = writeStagedFile(staged, first, rest, this.#hashing.hasher);
    const body = await writing.finally(() => (this.#largeWrites -= 1));
    await this.#folders.create(locator);
    await link(staged, this.#objectPath(locator));
    await flushFolder(objectFolder(this.#dataDir, locator));
    return body;
  }

  async #setAside(locator: string): Promise<boolean> {
    const path = this.#objectPath(locator);
    const found = await this.stat(locator);
    // A body gets this name when it is complete.
    if (found === undefined) return false;
    await flushFile(path);
    const kept = await linkDurably(path, join(this.#dataDir, LOST), locator);
    const { size } = found;
    this.#logger.warn({ locator, size, kept }, 'set aside a body that is not in the ledger');
    await this.discard(locator);
    return true;
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

  #objectPath(locator: string): string {
    return objectPath(this.#dataDir, locator);
  }
}
