import type { FileHandle } from 'node:fs/promises';
import type { Batch } from './batches.ts';
import { writeBatch } from './batches.ts';

/**
 * Writes batches to a file, each while the next one is gathered: memory holds two at most.
 * @param onWritten - gets the size of the file after each batch
 * @returns the size of the file
 */
export async function writeBatches(
  file: FileHandle,
  first: Batch,
  rest: AsyncIterable<Batch>,
  onWritten: (size: number) => void,
): Promise<number> {
  let size = 0;
  const write = async (batch: Batch): Promise<void> => {
    await writeBatch(file, batch, size);
    size += batch.size;
    batch.release();
    onWritten(size);
  };
  const start = (batch: Batch): Promise<void> => {
    const written = write(batch);
    // Avoids an unhandled rejection: the write is awaited only when the next batch is complete.
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
    // Also after an error of the body: the file must not be closed during a write.
    await Promise.allSettled([writing]);
  }
  await writing;
  return size;
}
