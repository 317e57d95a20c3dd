import { constants } from 'node:fs';
import { link, mkdir, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Body, ByteRange, Hasher, ObjectStore, StoredBody } from '../ports.ts';
import { BodyStream } from './body-stream.ts';
import { createCrc64 } from './digests.ts';
import { flushFolder, makeDurableFolder, remove, unlessMissing } from './files.ts';
import { FreeSpace } from './free-space.ts';
import { OBJECTS, objectFolder, objectPath, STAGING, stagingPath } from './layout.ts';
import type { Hashing } from './staged-file.ts';
import { writeStagedFile } from './staged-file.ts';

/**
 * How much is read at once, in bytes: much for a few, which is fast, and less for each of many, so that their memory
 * stays small when they all stand still.
 */
const READ = { most: 256 * 1024, least: 64 * 1024, together: 16 * 1024 * 1024 };

/**
 * Bodies as files: `staging/<locator>` while they come in, `objects/<two digits>/<locator>` once they are durable.
 * The staging name stays until the body is settled, so whatever a crash interrupts can be seen in `staging/`.
 */
export class DiskObjectStore implements ObjectStore {
  readonly #dataDir: string;
  readonly #hashing: Hashing;
  readonly #inHand = new Set<string>();
  readonly #digesting = new Map<string, Promise<string | undefined>>();
  /** Subfolders of `objects/` that are there, or are being made. */
  readonly #folders = new Map<string, Promise<void>>();
  /** How many bodies are open. */
  #beingRead = 0;
  readonly #space: FreeSpace;

  private constructor(dataDir: string, hashing: Hashing, minFree: number) {
    this.#dataDir = dataDir;
    this.#hashing = hashing;
    this.#space = new FreeSpace(dataDir, minFree);
  }

  /**
   * Opens the store in a folder. Subfolders of `objects/` are made when they are first needed.
   * @param minFree - bytes of the disk that bodies leave free; 0 for none
   */
  static async open(dataDir: string, hasher: Hasher, minFree = 0): Promise<DiskObjectStore> {
    for (const folder of [STAGING, OBJECTS]) {
      await mkdir(join(dataDir, folder), { recursive: true });
    }
    await flushFolder(dataDir);
    return new DiskObjectStore(dataDir, { hasher, crc64: await createCrc64() }, minFree);
  }

  async put(
    locator: string,
    bytes: AsyncIterable<Uint8Array>,
    announcedSize = 0,
  ): Promise<StoredBody> {
    await this.#space.require(announcedSize);
    this.#inHand.add(locator);
    try {
      const staged = this.#stagingPath(locator);
      const body = await writeStagedFile(staged, this.#space.guard(bytes), this.#hashing);
      await this.#makeFolder(locator);
      await link(staged, this.#objectPath(locator));
      await flushFolder(this.#objectFolder(locator));
      return body;
    } catch (error) {
      // What cannot be removed now is left unsettled, and why the body failed is what the caller must know.
      await Promise.allSettled([this.discard(locator)]);
      throw error;
    }
  }

  async settle(locator: string): Promise<void> {
    await remove(this.#stagingPath(locator));
    this.#inHand.delete(locator);
  }

  async discard(locator: string): Promise<void> {
    try {
      // The staging name last: as long as it is there, a restart knows of the rest.
      await remove(this.#objectPath(locator));
      await remove(this.#stagingPath(locator));
    } finally {
      this.#inHand.delete(locator);
    }
  }

  abandon(locator: string): void {
    this.#inHand.delete(locator);
  }

  async unsettled(): Promise<string[]> {
    const names = await readdir(join(this.#dataDir, STAGING));
    return names.filter((name) => !this.#inHand.has(name));
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
    const share = Math.floor(READ.together / this.#beingRead);
    const stream = new BodyStream(file, range, Math.min(READ.most, Math.max(READ.least, share)));
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
  }

  async close(): Promise<void> {
    await this.#hashing.hasher.close();
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
