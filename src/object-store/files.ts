import { link, mkdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasErrorCode } from '../lib/errno.ts';
import { PRIVATE_FOLDER } from '../lib/private-files.ts';
import { withFile } from './open-file.ts';

/** Creates a folder, unless it exists, and makes its name durable. */
export async function makeDurableFolder(path: string): Promise<void> {
  await makeFolder(path);
  // Also for a folder that exists: an earlier process may have ended before this flush.
  await flushFolder(dirname(path));
}

/** Creates a folder, unless it exists. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, PRIVATE_FOLDER);
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
  }
}

/** A flush has failed, so the bytes may be lost even if a later flush succeeds. */
export class FlushError extends Error {
  override readonly name = 'FlushError';
}

/** Makes the names in a folder durable. @throws FlushError; another error when the folder cannot be opened */
export async function flushFolder(path: string): Promise<void> {
  await withFile(path, 'r', (folder) => waitForFlush(path, folder.sync()));
}

/** Makes the bytes of a file durable. @throws FlushError; another error when the file cannot be opened */
export async function flushFile(path: string): Promise<void> {
  await withFile(path, 'r', (file) => waitForFlush(path, file.datasync()));
}

async function waitForFlush(path: string, flush: Promise<void>): Promise<void> {
  try {
    await flush;
  } catch (error) {
    throw new FlushError(`${path} could not be flushed: ${String(error)}`, { cause: error });
  }
}

/** Removes a file; does nothing when there is none. */
export async function remove(path: string): Promise<void> {
  await unlessMissing(unlink(path));
}

/** @returns undefined when the file does not exist */
export async function unlessMissing<T>(access: Promise<T>): Promise<T | undefined> {
  try {
    return await access;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Whether two names exist and belong to the same file. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const a = await unlessMissing(stat(one));
  const b = a && (await unlessMissing(stat(other)));
  return b !== undefined && a?.ino === b.ino && a.dev === b.dev;
}

/**
 * Adds another name in a folder to a file, and makes the name durable. If another file has the name, a number is added
 * to it. Creates the folder if it does not exist.
 * @returns the path
 */
export async function linkDurably(path: string, folder: string, name: string): Promise<string> {
  await makeDurableFolder(folder);
  for (let count = 1; ; count += 1) {
    const target = join(folder, numberedName(name, count));
    try {
      await link(path, target);
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
      // If it is the same file, an earlier start has already added the name.
      if (!(await isSameFile(path, target))) continue;
    }
    await flushFolder(folder);
    return target;
  }
}

/** @returns the name, from the second try on with the number of the try */
export function numberedName(name: string, count: number): string {
  return count === 1 ? name : `${name}.${String(count)}`;
}
