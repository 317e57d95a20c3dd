import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { PRIVATE_FILE } from '../../lib/private-files.ts';
import type { StoredBody } from '../../uploads/ports.ts';
import type { Hasher } from '../hashing/hasher.ts';
import type { Batch } from '../batches.ts';
import { writeBatches } from '../batches.ts';

/** A flush starts after this number of bytes while more are received, so that the last flush is short. */
const FLUSH_BYTES = 64 * 1024 * 1024;

/**
 * Writes a body to a new file and flushes it. Hash threads read the file behind the writer. Memory holds two batches at
 * most: one that is being written, and one that is being gathered.
 */
export async function writeStagedFile(
  path: string,
  first: Batch,
  rest: AsyncIterable<Batch>,
  hasher: Hasher,
): Promise<StoredBody> {
  await using file = await open(path, 'wx', PRIVATE_FILE);
  const followed = hasher.follow(path);
  const flush = earlyFlush(file);
  try {
    const size = await writeBatches(file, first, rest, (written) => {
      followed.advance(written);
      flush.upTo(written);
    });
    await flush.finish();
    const [digests] = await Promise.all([followed.finish(size), file.datasync()]);
    return { size, ...digests };
  } catch (error) {
    followed.stop();
    // The file must not be closed during a flush.
    await Promise.allSettled([flush.finish()]);
    throw error;
  }
}

/**
 * Flushes a file while it is being written, one flush at a time. The operating system reports a failed flush only once,
 * so an error of any flush fails the file, even if a later flush succeeds.
 */
function earlyFlush(file: FileHandle): {
  upTo: (size: number) => void;
  /** Waits for the flush in progress. @throws when any flush has failed */
  finish: () => Promise<void>;
} {
  let flushedTo = 0;
  let isBusy = false;
  let flushing = Promise.resolve();
  return {
    upTo: (size) => {
      if (isBusy || size - flushedTo < FLUSH_BYTES) return;
      flushedTo = size;
      isBusy = true;
      flushing = flushing
        .then(() => file.datasync())
        .finally(() => {
          isBusy = false;
        });
      flushing.catch(() => undefined);
    },
    finish: () => flushing,
  };
}
