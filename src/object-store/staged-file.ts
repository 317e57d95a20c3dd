import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { FollowedFile, Hasher, StoredBody } from '../ports.ts';
import type { Batch } from './batches.ts';
import { inBatches } from './batches.ts';
import type { Crc64 } from './digests.ts';
import { digestChunks } from './digests.ts';

/** Bodies up to this size are hashed where they are; larger ones behind the writer, on another thread. */
const BATCH_BYTES = 1024 * 1024;

/** So many bytes are flushed at a time while more come in, so that the last flush is short. */
const FLUSH_BYTES = 64 * 1024 * 1024;

/** What hashes: a thread for large bodies, a CRC to use again for small ones. */
export interface Hashing {
  readonly hasher: Hasher;
  readonly crc64: Crc64;
}

/**
 * Writes a body to a new file and flushes it to the disk, hashing it on the way. Memory holds two batches at the
 * most: the one that is being written, and the one that is being gathered.
 */
export async function writeStagedFile(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  hashing: Hashing,
): Promise<StoredBody> {
  const batches = inBatches(bytes, BATCH_BYTES);
  const { value: first } = await batches.next();
  if (first === undefined || first.size < BATCH_BYTES) {
    return writeSmall(path, first ?? { chunks: [], size: 0 }, hashing.crc64);
  }
  return writeLarge(path, first, batches, hashing.hasher);
}

async function writeSmall(path: string, batch: Batch, crc64: Crc64): Promise<StoredBody> {
  await using file = await open(path, 'wx');
  await writeBatch(file, batch, 0);
  await file.datasync();
  return { size: batch.size, ...digestChunks(batch.chunks, crc64) };
}

async function writeLarge(
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
    followed.abandon();
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
    await Promise.allSettled([writing, flush.settled()]);
  }
  await Promise.all([writing, flush.settled()]);
  return size;
}

/**
 * Flushes what was written, one flush at a time. The operating system tells of a failed flush once, so every
 * failure counts: a later flush that succeeds says nothing about the bytes of this one.
 */
function earlyFlush(file: FileHandle): {
  upTo: (size: number) => void;
  /** Waits for the flush that is under way. @throws when any has failed */
  settled: () => Promise<void>;
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
    settled: () => flushing,
  };
}

async function writeBatch(file: FileHandle, batch: Batch, position: number): Promise<void> {
  const { bytesWritten } = await file.writev([...batch.chunks], position);
  if (bytesWritten === batch.size) return;
  // A short write is legal; what is left goes out in one piece, again and again, until it is out or fails.
  let left = Buffer.concat(batch.chunks).subarray(bytesWritten);
  let at = position + bytesWritten;
  while (left.length > 0) {
    const written = await file.write(left, 0, left.length, at);
    left = left.subarray(written.bytesWritten);
    at += written.bytesWritten;
  }
}
