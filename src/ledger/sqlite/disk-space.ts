import { createCipheriv } from 'node:crypto';
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { isDiskFull } from '../../lib/errno.ts';
import { PRIVATE_FILE, makePrivate } from '../../lib/private-files.ts';

/** A file that takes up space; the purge removes it when the disk is full. */
const RESERVE_FILE = 'gateway.reserve';

/** More than a batch of the purge writes, plus the growth of SQLite's log between two checkpoints. In bytes. */
const RESERVE_BYTES = 8 * 1024 * 1024;

/** How many rows may be written between two checks of the disk. A row has at most 25 KiB, including indexes. */
const ROWS_PER_CHECK = 128;

/** The disk has less free space than the ledger must leave. */
class TooLittleSpace extends Error {
  override readonly name = 'TooLittleSpace';
  readonly code = 'ENOSPC';
}

/** Limits how much of the disk the ledger of a server uses, and holds a reserve for the purge. */
export interface DiskSpace {
  /**
   * Checks from time to time whether there is room for one more row.
   * @throws an error with the code `ENOSPC` when too little of the disk is free
   */
  admitRow(): void;
  /** Does the same, but always checks the disk, and counts no row. */
  requireRoom(): void;
  /** Allocates the reserve, if it is not allocated and there is enough room. */
  takeReserve(): void;
  /** Frees the reserve. @returns false when there was none */
  releaseReserve(): boolean;
}

/** For a ledger in memory, or one that a command opens while its server may be running. */
export const NO_DISK_SPACE: DiskSpace = {
  admitRow: () => undefined,
  requireRoom: () => undefined,
  takeReserve: () => undefined,
  releaseReserve: () => false,
};

/**
 * Opens the disk space of a server's ledger. Rows for new uploads are admitted while at least half of `minFree` is
 * free. Uploads stop at `minFree`, so the rest is left for claims, deletions and the purge.
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
      if (least === 0 || (rows < ROWS_PER_CHECK && free >= least)) return;
      space.requireRoom();
      rows = 0;
    },
    requireRoom: () => {
      free = freeBytes(dataDir);
      if (free >= least) return;
      throw new TooLittleSpace(
        `${String(free)} bytes are free, and the ledger must leave ${String(least)} free`,
      );
    },
    takeReserve: () => {
      // Twice the size, so that the reserve never takes the last space of the disk.
      if (isAllocated(path) || freeBytes(dataDir) < 2 * RESERVE_BYTES) return;
      allocate(path);
    },
    releaseReserve: () => {
      if (!isAllocated(path)) return false;
      rmSync(path, { force: true });
      return true;
    },
  };
  makePrivate(path);
  // A start on a nearly full disk needs room at once, for the recovery after a crash.
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

/** Writes bytes that no file system can compress. Needs no flush: the next start rewrites what a power cut has lost. */
function allocate(path: string): void {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  try {
    writeFileSync(path, cipher.update(Buffer.alloc(RESERVE_BYTES)), { mode: PRIVATE_FILE });
  } catch (error) {
    rmSync(path, { force: true });
    if (!isDiskFull(error)) throw error;
  }
}

/** @returns the bytes of a ledger and its write-ahead log; undefined for one in memory */
export async function sizeOnDisk(database: Database): Promise<number | undefined> {
  if (database.memory) return undefined;
  const files = [database.name, `${database.name}-wal`];
  const sizes = await Promise.all(files.map((file) => stat(file).then(({ size }) => size)));
  return sizes.reduce((sum, size) => sum + size, 0);
}
