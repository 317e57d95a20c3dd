import { constants } from 'node:fs';
import { link, mkdir, open, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasErrorCode } from '../../lib/errno.ts';

/** Makes a folder whose name survives a power cut; one that is there already, too. */
export async function makeDurableFolder(path: string): Promise<void> {
  await makeFolder(path);
  // An earlier run may have made it, and have died before it was durable.
  await flushFolder(dirname(path));
}

/** Makes a folder, unless it is there already. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
  }
}

/** A flush has failed, so what should have become durable may be lost, and a later flush proves nothing. */
export class FlushError extends Error {
  override readonly name = 'FlushError';
}

/** Makes the names in a folder durable. @throws FlushError; another error when the folder cannot be opened */
export async function flushFolder(path: string): Promise<void> {
  await using folder = await open(path, constants.O_RDONLY);
  await flushing(path, folder.sync());
}

/** Makes the bytes of a file durable. @throws FlushError; another error when the file cannot be opened */
export async function flushFile(path: string): Promise<void> {
  await using file = await open(path, constants.O_RDONLY);
  await flushing(path, file.datasync());
}

async function flushing(path: string, flush: Promise<void>): Promise<void> {
  try {
    await flush;
  } catch (error) {
    throw new FlushError(`${path} could not be flushed: ${String(error)}`, { cause: error });
  }
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

/** Whether two names are there and stand for the same file. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const a = await unlessMissing(stat(one));
  const b = a && (await unlessMissing(stat(other)));
  return b !== undefined && a?.ino === b.ino && a.dev === b.dev;
}

/**
 * Gives a file another name in a folder, and makes it durable: the wanted one, or one with a number behind it when
 * another file has that. The folder is made when it is not there.
 * @returns the path
 */
export async function linkDurably(path: string, folder: string, name: string): Promise<string> {
  await makeDurableFolder(folder);
  for (let count = 1; ; count += 1) {
    const target = join(folder, count === 1 ? name : `${name}.${String(count)}`);
    try {
      await link(path, target);
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
      // The same file: an earlier start has done this, and has not come further.
      if (!(await isSameFile(path, target))) continue;
    }
    await flushFolder(folder);
    return target;
  }
}

/** Does the same with each of some items, a few at a time. @throws the first error, when all that was begun has ended */
export async function forEachOf<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items[Symbol.iterator]();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (let next = waiting.next(); next.done !== true && !failed; next = waiting.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
