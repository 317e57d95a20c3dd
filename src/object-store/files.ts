import { constants } from 'node:fs';
import { mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasErrorCode } from '../system-error.ts';

/** Makes a folder whose name survives a power cut; one that is there already, too. */
export async function makeDurableFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    // An earlier run has made it, and may have died before it was durable.
    if (!hasErrorCode(error, 'EEXIST')) throw error;
  }
  await flushFolder(dirname(path));
}

/** Makes the names in a folder durable. */
export async function flushFolder(path: string): Promise<void> {
  await using folder = await open(path, constants.O_RDONLY);
  await folder.sync();
}

/** Removes a name; a missing one is no error. */
export async function remove(path: string): Promise<void> {
  await unlessMissing(unlink(path));
}

/** @returns undefined for what is not there */
export async function unlessMissing<T>(access: Promise<T>): Promise<T | undefined> {
  try {
    return await access;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
