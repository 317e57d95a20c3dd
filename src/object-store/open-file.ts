import { closeSync, fdatasync, fsync, open, writev } from 'node:fs';
import { PRIVATE_FILE } from '../lib/private-files.ts';

/** An open file. A FileHandle of `node:fs/promises` is one, too. */
export interface OpenFile {
  /** Makes the bytes durable. */
  datasync(): Promise<void>;
  /** Makes the bytes and all that is known of the file durable. */
  sync(): Promise<void>;
  /** Writes at a position; may write less than all. */
  writev(chunks: Uint8Array[], position: number): Promise<{ readonly bytesWritten: number }>;
}

/**
 * Opens a file, uses it, and closes it. A FileHandle would take the event loop 15 microseconds more, which is a lot for
 * a small body.
 * @param flags - `r`: it exists; `wx`: it is created, private to the user
 */
export async function withFile<T>(
  path: string,
  flags: 'r' | 'wx',
  use: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const descriptor = await promised<number>((done) => {
    open(path, flags, PRIVATE_FILE, done);
  });
  const [used] = await Promise.allSettled([use(openFile(descriptor))]);
  try {
    // On a local disk it waits for nothing, and takes less than a turn on the thread pool.
    closeSync(descriptor);
  } catch (error) {
    // The first error tells more than one of the close.
    if (used.status === 'fulfilled') throw error;
  }
  if (used.status === 'rejected') throw used.reason;
  return used.value;
}

function openFile(descriptor: number): OpenFile {
  return {
    datasync: () =>
      promised((done) => {
        fdatasync(descriptor, done);
      }),
    sync: () =>
      promised((done) => {
        fsync(descriptor, done);
      }),
    writev: (chunks, position) =>
      promised((done) => {
        writev(descriptor, chunks, position, (error, bytesWritten) => {
          done(error, { bytesWritten });
        });
      }),
  };
}

type Done<T> = (error: Error | null | undefined, result: T) => void;

function promised<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      // Not by its class: a test runner has other classes than Node.
      if (error) reject(error);
      else resolve(result);
    });
  });
}
