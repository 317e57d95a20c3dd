import { open } from 'node:fs/promises';
import { PRIVATE_FILE } from '../../lib/private-files.ts';
import type { StoredBody } from '../../uploads/ports.ts';
import type { Batch } from '../batches.ts';
import { remove } from '../files.ts';
import type { Hasher } from '../hashing/hasher.ts';
import { writeBatches } from '../batches.ts';
import { MultipartUpload } from './multipart-upload.ts';
import { partSize, SINGLE_PUT_BYTES } from './part-sizes.ts';
import type { Spool } from './spool.ts';
import { fileContent } from './spool.ts';
import type { StoreCalls } from './store-calls.ts';
import type { StoreClient } from './store-client.ts';

/** What sends a large body. */
interface LargeBodyDependencies {
  readonly calls: StoreCalls;
  readonly client: StoreClient;
  readonly hasher: Hasher;
  readonly spool: Spool;
  readonly partsAtOnce: number;
  readonly inBackground: (task: () => Promise<void>) => void;
}

/** A body that is too large for memory. */
export interface LargeBody {
  readonly key: string;
  readonly locator: string;
  readonly first: Batch;
  readonly rest: AsyncIterable<Batch>;
  /** In bytes; 0 when it is not known. */
  readonly announcedSize: number;
  /** Called before the object may exist in the store. */
  readonly onSend: () => void;
}

/**
 * Writes a body to the spool, and sends it from there: in one request, or in parts while it is still being received. A
 * request can be tried again because its bytes are in a file, and memory does not grow. Hash threads read the file
 * behind the writer.
 */
export async function putLarge(
  deps: LargeBodyDependencies,
  { announcedSize, first, key, locator, onSend, rest }: LargeBody,
): Promise<StoredBody> {
  const { calls, client, hasher, inBackground, partsAtOnce, spool } = deps;
  const path = spool.path(locator);
  const target = { calls, client, key, path, atOnce: partsAtOnce };
  const upload = new MultipartUpload({ ...target, partSize: partSize(announcedSize) });
  try {
    await using file = await open(path, 'wx', PRIVATE_FILE);
    const followed = hasher.follow(path, 'all');
    try {
      const size = await writeBatches(file, first, spool.guard(rest), (written) => {
        followed.advance(written);
        upload.advance(written);
      });
      const digests = await followed.finish(size);
      if (size > SINGLE_PUT_BYTES) await upload.complete(size, onSend);
      else {
        onSend();
        const content = fileContent(path, 0, size, digests.md5);
        await calls.part(() => client.put(key, content));
      }
      return { size, ...digests };
    } catch (error) {
      followed.stop();
      inBackground(() => upload.abort());
      throw error;
    }
  } finally {
    await remove(path);
  }
}
