import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { hasErrorCode } from '../../lib/errno.ts';
import { flushFolder } from './files.ts';
import { tryServerLock } from './folder-lock.ts';
import type { ServerLock } from './folder-lock.ts';

/**
 * Makes a folder that gets its name only when it is complete and durable. What a process that was killed has left of it
 * goes with the next try.
 * @param target - a folder that is not there yet, or is empty
 * @param fill - writes what is to be in it; what it throws is thrown here, and nothing is left
 * @throws when there is something in the target, or another process is making it
 */
export async function makeWholeFolder<Result>(
  target: string,
  fill: (folder: string) => Promise<Result>,
): Promise<Result> {
  const path = resolve(target);
  await requireEmpty(path);
  await makeFolders(dirname(path));
  const folder = `${path}.unfinished`;
  const lock = await lockUnfinished(folder, path);
  try {
    await clear(folder);
    const result = await fill(folder);
    await flushFolder(folder);
    await rename(folder, path);
    await removeLock(path);
    await flushFolder(path);
    await flushFolder(dirname(path));
    return result;
  } catch (error) {
    await discard(folder);
    throw error;
  } finally {
    lock.release();
  }
}

/** The files of the lock. In a folder that is unfinished they keep others out of it. */
const LOCK_FILES = ['server.lock', 'server.pid'];

/** Makes the folder that is filled, unless an earlier try has left it, and takes its lock. */
async function lockUnfinished(folder: string, path: string): Promise<ServerLock> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
    const found = await lstat(folder);
    if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) {
      throw new Error(`${folder} is in the way: remove it`, { cause: error });
    }
  }
  const lock = tryServerLock(folder);
  if (lock !== undefined) return lock;
  throw new Error(`another backup to ${path} is running`);
}

/** Removes all but the lock. */
async function clear(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!LOCK_FILES.includes(name)) await rm(join(folder, name), { recursive: true });
  }
}

/** Another process that finds no lock makes one of its own. */
async function removeLock(folder: string): Promise<void> {
  for (const name of LOCK_FILES) await rm(join(folder, name), { force: true });
}

/** Removes a folder that was not finished; unless another process has just begun to use it. */
async function discard(folder: string): Promise<void> {
  await clear(folder);
  await removeLock(folder);
  try {
    await rmdir(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].some((code) => hasErrorCode(error, code))) throw error;
  }
}

async function requireEmpty(path: string): Promise<void> {
  if (!existsSync(path)) return;
  if ((await readdir(path)).length > 0) throw new Error(`there is something in ${path} already`);
}

/** Makes a folder and those above it; their names survive a power cut. */
async function makeFolders(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await flushFolder(dirname(made));
  }
}
