import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { BodyImporter } from '../../uploads/maintenance/copy-bodies.ts';
import type { StoredBody } from '../../uploads/ports.ts';
import { objectPath } from '../disk/layout.ts';
import { unlessMissing } from '../files.ts';
import type { Hasher } from '../hashing/hasher.ts';
import { MultipartUpload } from './multipart-upload.ts';
import { partSize, SINGLE_PUT_BYTES } from './part-sizes.ts';
import type { S3Inventory } from './s3-inventory.ts';
import { fileContent } from './spool.ts';
import type { Content, FoundObject } from './store-client.ts';
import type { StoredBodies } from './stored-bodies.ts';

/** Copies bodies of a data folder into a store. They are sent from their files, and need no room on the disk. */
export class S3BodyImporter implements BodyImporter {
  readonly #bodies: StoredBodies;
  readonly #inventory: Pick<S3Inventory, 'measure'>;
  readonly #hasher: Hasher;

  constructor(bodies: StoredBodies, inventory: Pick<S3Inventory, 'measure'>, hasher: Hasher) {
    this.#bodies = bodies;
    this.#inventory = inventory;
    this.#hasher = hasher;
  }

  async copyFrom(dataDir: string, locator: string): Promise<StoredBody | undefined> {
    const path = objectPath(dataDir, locator);
    const found = await unlessMissing(stat(path));
    if (found === undefined) return undefined;
    const { size } = found;
    const { calls, client, limits } = this.#bodies;
    const key = this.#bodies.keyOf(locator);
    const digests = this.#hasher.follow(path, 'all').finish(size);
    if (size <= SINGLE_PUT_BYTES) {
      const body = { size, ...(await digests) };
      await calls.part(() => client.put(key, contentOf(path, body)));
      return body;
    }
    const atOnce = limits.partsOfOneUpload;
    const target = { calls, client, key, path, partSize: partSize(size), atOnce };
    const upload = new MultipartUpload(target);
    try {
      upload.advance(size);
      // The parts are being sent at the same time.
      const body = { size, ...(await digests) };
      await upload.complete(size);
      return body;
    } catch (error) {
      await upload.abort();
      throw error;
    }
  }

  /** An ETag says what the object has, unless the store encrypts it in a way that changes the ETag. Then it is read. */
  async compare(
    dataDir: string,
    locator: string,
    { crc64, md5, size }: StoredBody,
  ): Promise<'same' | 'different' | 'absent'> {
    const found = await this.#bodies.describe(locator);
    if (found === undefined) return 'absent';
    if (found.size !== size) return 'different';
    if (await hasEtagOf(found, objectPath(dataDir, locator), md5)) return 'same';
    const measured = await this.#inventory.measure(locator);
    if (measured === undefined) return 'absent';
    return measured.md5 === md5 && measured.crc64 === crc64 ? 'same' : 'different';
  }

  async close(): Promise<void> {
    await this.#hasher.close();
  }
}

/** An empty file has no range of bytes. */
function contentOf(path: string, { md5, size }: StoredBody): Content {
  return size === 0 ? { size, md5, open: () => Buffer.alloc(0) } : fileContent(path, 0, size, md5);
}

/** Whether the ETag of an object is that of a file with an MD5. False when this cannot be known. */
async function hasEtagOf({ etag, size }: FoundObject, path: string, md5: string): Promise<boolean> {
  if (etag === md5) return true;
  if (etag === undefined || !/^[0-9a-f]{32}-\d+$/.test(etag)) return false;
  const parts = await unlessMissing(hashParts(path, size));
  return parts?.md5 === md5 && parts.etag === etag;
}

/** @returns the MD5 of a file, and the ETag that stores give it when it is sent in parts: the MD5 of their MD5s, and their number */
async function hashParts(path: string, size: number): Promise<{ md5: string; etag: string }> {
  const whole = createHash('md5');
  const digests = createHash('md5');
  const step = partSize(size);
  let count = 0;
  for (let start = 0; start < size; start += step) {
    const part = createHash('md5');
    const bytes: AsyncIterable<Buffer> = createReadStream(path, { start, end: start + step - 1 });
    for await (const chunk of bytes) {
      whole.update(chunk);
      part.update(chunk);
    }
    digests.update(part.digest());
    count += 1;
  }
  return { md5: whole.digest('hex'), etag: `${digests.digest('hex')}-${String(count)}` };
}
