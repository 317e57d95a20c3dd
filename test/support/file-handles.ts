import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { z } from 'zod';

/** @returns the prototype of all open files, so that a test can spy on their methods */
export async function fileHandlePrototype(): Promise<FileHandle> {
  await using handle = await open(__filename, 'r');
  return z.custom<FileHandle>().parse(Object.getPrototypeOf(handle));
}
