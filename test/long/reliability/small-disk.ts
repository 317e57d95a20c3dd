import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A separate file system that is small enough to be filled. */
export interface SmallDisk {
  readonly path: string;
  unmount(): void;
}

/** Mounts a file system in memory. @returns the error as text when that is not allowed here */
export function mountSmallDisk(size: string): SmallDisk | string {
  const path = mkdtempSync(join(tmpdir(), 'ota-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
  if (mounted.status !== 0) {
    rmSync(path, { recursive: true });
    return String(mounted.error ?? mounted.stderr);
  }
  return {
    path,
    unmount: () => {
      spawnSync('umount', [path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
