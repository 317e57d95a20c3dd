import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { z } from 'zod';

/** What all open files have in common, to spy on: no step of theirs can be reached from outside otherwise. */
export async function fileHandlePrototype(): Promise<FileHandle> {
  await using handle = await open(__filename, 'r');
  return z.custom<FileHandle>().parse(Object.getPrototypeOf(handle));
}
