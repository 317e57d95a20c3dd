import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { StoredBody } from '../../uploads/ports.ts';
import type { FollowedFile, Hasher } from '../hashing/hasher.ts';
import type { Batch } from './batches.ts';
import { writeBatch } from './batches.ts';

/** So many bytes are flushed at a time while more come in, so that the last flush is short. */
const FLUSH_BYTES = 64 * 1024 * 1024;

/**
 * Writes a body to a new file and flushes it to the disk, hashing it behind the writer. Memory holds two batches at
 * the most: the one that is being written, and the one that is being gathered.
 */
export async function writeStagedFile(
  path: string,
  first: Batch,
  rest: AsyncIterable<Batch>,
  hasher: Hasher,
): Promise<StoredBody> {
  await using file = await open(path, 'wx');
  const followed = hasher.follow(path);
  try {
    const size = await writeBatches(file, first, rest, followed);
    const [digests] = await Promise.all([followed.finish(size), file.datasync()]);
    return { size, ...digests };
  } catch (error) {
    followed.stop();
    throw error;
  }
}

/** Gathers the next batch while one is being written. @returns the size of the file */
async function writeBatches(
  file: FileHandle,
  first: Batch,
  rest: AsyncIterable<Batch>,
  followed: FollowedFile,
): Promise<number> {
  let size = 0;
  const flush = earlyFlush(file);
  const write = async (batch: Batch): Promise<void> => {
    await writeBatch(file, batch, size);
    size += batch.size;
    batch.release();
    followed.advance(size);
    flush.upTo(size);
  };
  const start = (batch: Batch): Promise<void> => {
    const written = write(batch);
    // It is awaited later, when the next batch is there; until then a failure must not count as unhandled.
    written.catch(() => undefined);
    return written;
  };
  let writing = start(first);
  try {
    for await (const batch of rest) {
      await writing;
      writing = start(batch);
    }
  } finally {
    // Also when the body breaks off: nobody may close the file under a write.
    await Promise.allSettled([writing, flush.finish()]);
  }
  await Promise.all([writing, flush.finish()]);
  return size;
}

/**
 * Flushes what was written, one flush at a time. The operating system tells of a failed flush once, so every
 * failure counts: a later flush that succeeds says nothing about the bytes of this one.
 */
function earlyFlush(file: FileHandle): {
  upTo: (size: number) => void;
  /** Waits for the flush that is under way. @throws when any has failed */
  finish: () => Promise<void>;
} {
  let begun = 0;
  let busy = false;
  let flushing = Promise.resolve();
  return {
    upTo: (size) => {
      if (busy || size - begun < FLUSH_BYTES) return;
      begun = size;
      busy = true;
      flushing = flushing
        .then(() => file.datasync())
        .finally(() => {
          busy = false;
        });
      flushing.catch(() => undefined);
    },
    finish: () => flushing,
  };
}
