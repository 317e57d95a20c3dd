import { createCipheriv } from 'node:crypto';
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrorCode } from '../../lib/errno.ts';

/** Takes up space that only the purge of a full disk may use. */
const RESERVE_FILE = 'gateway.reserve';

/** More than one batch of the purge writes, and what SQLite's log grows to between two checkpoints. In bytes. */
const RESERVE_BYTES = 8 * 1024 * 1024;

/** How many rows may be written before the disk is asked again. One has 25 KiB at most, indexes included. */
const ROWS_PER_LOOK = 128;

/** How SQLite and the operating system say that the disk, or a quota of it, is full. */
const FULL = ['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_SHMSIZE', 'ENOSPC', 'EDQUOT'];

/** Whether an error means that there is no room on the disk. */
export function isFull(error: unknown): boolean {
  return FULL.some((code) => hasErrorCode(error, code));
}

/** The disk has less free space than the ledger must leave. */
class TooLittleSpace extends Error {
  override readonly name = 'TooLittleSpace';
  readonly code = 'ENOSPC';
}

/** What the ledger of a server may take of the disk, and what it keeps for the purge. */
export interface DiskSpace {
  /**
   * Asks for room for one more row, and looks at the disk once in a while.
   * @throws an error with the code `ENOSPC` when too little of the disk is free
   */
  admitRow(): void;
  /** Holds the reserve, if it is not held and there is enough room. */
  takeReserve(): void;
  /** @returns false when there was no reserve to give up */
  releaseReserve(): boolean;
}

/** For a ledger in memory, and one that a command opens beside its server. */
export const NO_DISK_SPACE: DiskSpace = {
  admitRow: () => undefined,
  takeReserve: () => undefined,
  releaseReserve: () => false,
};

/**
 * Looks after the disk of a server's ledger. Rows for new uploads are admitted while more than half of `minFree` is
 * free: uploads stop at `minFree`, so what they leave is for claims, deletions and the purge.
 * @param minFree - bytes that uploads leave free; 0 to admit every row
 */
export function openDiskSpace(dataDir: string, minFree: number): DiskSpace {
  const path = join(dataDir, RESERVE_FILE);
  const least = minFree / 2;
  let free = 0;
  let rows = 0;
  const space: DiskSpace = {
    admitRow: () => {
      rows += 1;
      if (least === 0 || (rows < ROWS_PER_LOOK && free >= least)) return;
      free = freeBytes(dataDir);
      rows = 0;
      if (free >= least) return;
      throw new TooLittleSpace(
        `${String(free)} bytes are free, and the ledger leaves ${String(least)}`,
      );
    },
    takeReserve: () => {
      // Twice, so that the reserve does not take the last of a disk that is nearly full.
      if (isAllocated(path) || freeBytes(dataDir) < 2 * RESERVE_BYTES) return;
      allocate(path);
    },
    releaseReserve: () => {
      if (!isAllocated(path)) return false;
      rmSync(path, { force: true });
      return true;
    },
  };
  // A start on a disk that is nearly full needs room at once, for what a crash has left to be done.
  if (freeBytes(dataDir) < RESERVE_BYTES) space.releaseReserve();
  else space.takeReserve();
  return space;
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function isAllocated(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === RESERVE_BYTES;
}

/** With bytes that no file system can make smaller. Not flushed: what a power cut takes of it is written anew. */
function allocate(path: string): void {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  try {
    writeFileSync(path, cipher.update(Buffer.alloc(RESERVE_BYTES)));
  } catch (error) {
    rmSync(path, { force: true });
    if (!isFull(error)) throw error;
  }
}
