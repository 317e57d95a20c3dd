import { readdirSync, readlinkSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { z } from 'zod';

/** @returns the prototype of all open files, so that a test can spy on their methods */
export async function fileHandlePrototype(): Promise<FileHandle> {
  await using handle = await open(__filename, 'r');
  return z.custom<FileHandle>().parse(Object.getPrototypeOf(handle));
}

/** @returns how many files below a folder this process has open */
export function countOpenFiles(folder: string): number {
  const targets = readdirSync('/proc/self/fd').map(targetOf);
  return targets.filter((target) => target.startsWith(folder)).length;
}

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    // Closed since it was listed.
    return '';
  }
}
