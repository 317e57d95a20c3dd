import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../../lib/private-files.ts';
import type { BodyInventory, FoundFile } from '../../uploads/maintenance/ports.ts';
import type { StoredBody } from '../../uploads/ports.ts';
import { objectFolder, objectPath } from '../disk/layout.ts';
import { unlessMissing } from '../files.ts';
import { createCrc64Engine } from '../hashing/crc64.ts';
import { allPages } from './stored-bodies.ts';
import type { StoredBodies } from './stored-bodies.ts';

/** The ETag of an object that was sent in one piece; that of a multipart upload also has the number of its parts. */
const MD5 = /^[0-9a-f]{32}$/;

/** Counts, compares and copies the bodies of a store that gateways may be using. */
export class S3Inventory implements BodyInventory {
  readonly isSorted = true;
  readonly #bodies: StoredBodies;
  readonly #orphanAge: number;
  readonly #crc64 = createCrc64Engine();
  /** Locators of bodies without a row that may get one. */
  readonly #young = new Set<string>();

  /** @param orphanAge - milliseconds for which a body may be on its way to its row, by the clock of the store */
  constructor(bodies: StoredBodies, orphanAge: number) {
    this.#bodies = bodies;
    this.#orphanAge = orphanAge;
  }

  async *listFiles(): AsyncGenerator<FoundFile, void, undefined> {
    for await (const { items } of this.#bodies.pages()) {
      for (const { etag = '', key, size, writtenAt } of items) {
        const locator = this.#bodies.locatorOf(key);
        yield { path: key, locator, size, writtenAt, ...(MD5.test(etag) && { md5: etag }) };
      }
    }
  }

  /** A body that is old enough for the sweep is committed, or never will be. */
  async isUncommitted(locator: string): Promise<boolean> {
    const found = await this.#bodies.describe(locator);
    const isYoung = found !== undefined && found.writtenAt > found.now - this.#orphanAge;
    if (isYoung) this.#young.add(locator);
    return isYoung;
  }

  /** @returns the number of multipart uploads that have not ended, and of the bodies that `isUncommitted` has found */
  async countUncommitted(): Promise<number> {
    const { calls, client, folder } = this.#bodies;
    const pages = allPages((next) => calls.request(() => client.listUploads(folder, next)));
    let count = this.#young.size;
    for await (const { items } of pages) count += items.length;
    return count;
  }

  async countJournals(): Promise<number> {
    return 0;
  }

  async listJournaled(): Promise<ReadonlySet<string>> {
    return new Set();
  }

  stat(locator: string): Promise<{ readonly size: number } | undefined> {
    return this.#bodies.stat(locator);
  }

  async measure(locator: string): Promise<StoredBody | undefined> {
    const body = await this.#bodies.open(locator);
    if (body === undefined) return undefined;
    const md5 = createHash('md5');
    const sha256 = createHash('sha256');
    const crc64 = this.#crc64.start();
    let size = 0;
    const chunks: AsyncIterable<Uint8Array> = body;
    for await (const chunk of chunks) {
      size += chunk.length;
      for (const digest of [md5, sha256, crc64]) digest.update(chunk);
    }
    return {
      size,
      md5: md5.digest('hex'),
      crc64: crc64.digest(),
      sha256: sha256.digest('hex'),
    };
  }

  async setAside(path: string): Promise<string> {
    const advice = 'ota-gateway fsck --sweep gives up the bodies that no upload has';
    throw new Error(`${path} is in a store that gateways share, and is not moved; ${advice}`);
  }

  async copyTo(dataDir: string, locator: string): Promise<boolean> {
    const target = objectPath(dataDir, locator);
    if ((await unlessMissing(stat(target))) !== undefined) return true;
    const body = await this.#bodies.open(locator);
    if (body === undefined) return false;
    await mkdir(objectFolder(dataDir, locator), { recursive: true, mode: PRIVATE_FOLDER });
    // A process that is killed must not leave a part under the name of the body. `keepOnly` removes what it leaves.
    const part = `${target}.part`;
    await pipeline(body, createWriteStream(part, { mode: PRIVATE_FILE, flush: true }));
    await rename(part, target);
    return true;
  }

  async keepOnly(): Promise<void> {
    throw new Error('the bodies of a store that gateways share are removed by their purge alone');
  }

  async close(): Promise<void> {
    this.#bodies.client.close();
  }
}
