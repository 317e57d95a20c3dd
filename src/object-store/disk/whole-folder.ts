import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { hasErrorCode } from '../../lib/errno.ts';
import { makePrivateFolders, PRIVATE_FOLDER } from '../../lib/private-files.ts';
import { flushFolder } from '../files.ts';
import { tryServerLock } from './folder-lock.ts';
import type { ServerLock } from './folder-lock.ts';

/**
 * Creates a folder that gets its name only when it is complete and durable. The next call for the same target removes
 * what a killed or failed one has left, except what it keeps.
 * @param target - a folder that does not exist yet, or is empty
 * @param fill - writes the content; its error is rethrown
 * @param kept - the entry that the next call for the target finds, so that it can go on; absent: all is removed
 * @throws when the target is not empty, or another process is creating it
 */
export async function makeWholeFolder<Result>(
  target: string,
  fill: (folder: string) => Promise<Result>,
  kept?: string,
): Promise<Result> {
  const path = resolve(target);
  await requireEmpty(path);
  await makeFolders(dirname(path));
  const folder = `${path}.unfinished`;
  const lock = await lockUnfinished(folder, path);
  try {
    await clear(folder, kept);
    const result = await fill(folder);
    await flushFolder(folder);
    await rename(folder, path);
    await removeLock(path);
    await flushFolder(path);
    await flushFolder(dirname(path));
    return result;
  } catch (error) {
    await clear(folder, kept);
    await removeEmpty(folder);
    throw error;
  } finally {
    lock.release();
  }
}

/** The files of the lock, which keeps other processes out of an unfinished folder. */
const LOCK_FILES = ['server.lock', 'server.pid'];

/** Creates the folder to fill, unless an earlier call has left it, and takes its lock. */
async function lockUnfinished(folder: string, path: string): Promise<ServerLock> {
  try {
    await mkdir(folder, PRIVATE_FOLDER);
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw cannotCreate(path, error);
    const found = await lstat(folder);
    if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid)) {
      throw new Error(`${folder} exists and cannot be used: remove it`, { cause: error });
    }
  }
  const lock = await tryLock(folder);
  if (lock !== undefined) return lock;
  throw new Error(`another backup to ${path} is running`);
}

/** Takes the lock of a folder, or removes the folder, if it is empty, when it cannot have one: the disk may be full. */
async function tryLock(folder: string): Promise<ServerLock | undefined> {
  try {
    return tryServerLock(folder);
  } catch (error) {
    await removeEmpty(folder);
    throw error;
  }
}

/** Removes everything except the lock, and what is kept. */
async function clear(folder: string, kept: string | undefined): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (LOCK_FILES.includes(name) || name === kept) continue;
    await rm(join(folder, name), { recursive: true });
  }
}

/** Removes the files of the lock. A process that comes later creates its own. */
async function removeLock(folder: string): Promise<void> {
  for (const name of LOCK_FILES) await rm(join(folder, name), { force: true });
}

/** Removes an unfinished folder, unless it keeps something, or another process has just begun to use it. */
async function removeEmpty(folder: string): Promise<void> {
  await removeLock(folder);
  try {
    await rmdir(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].some((code) => hasErrorCode(error, code))) throw error;
  }
}

async function requireEmpty(path: string): Promise<void> {
  if (!existsSync(path)) return;
  if (!(await stat(path)).isDirectory()) {
    throw new Error(`${path} is a file. Give a folder that does not exist yet`);
  }
  if ((await readdir(path)).length > 0) {
    throw new Error(`${path} is not empty. Give a folder that does not exist yet`);
  }
}

/** Creates a folder and its parents, and makes their names durable. */
async function makeFolders(path: string): Promise<void> {
  try {
    for (const made of makePrivateFolders(path)) await flushFolder(dirname(made));
  } catch (error) {
    throw cannotCreate(path, error);
  }
}

const REASONS = [
  { codes: ['ENOENT'], text: 'its file system takes no new folders' },
  { codes: ['EEXIST', 'ENOTDIR'], text: 'a part of the path is a file' },
  { codes: ['EACCES', 'EPERM'], text: 'this user may not do that' },
  { codes: ['EROFS'], text: 'its file system cannot be written' },
];

/** Replaces the error of the system for a folder that cannot be created. */
function cannotCreate(path: string, cause: unknown): Error {
  const reason = REASONS.find(({ codes }) => codes.some((code) => hasErrorCode(cause, code)));
  if (reason === undefined) return cause instanceof Error ? cause : new Error(String(cause));
  const advice = 'Choose a folder on a disk, whose parent this user can write';
  return new Error(`${path} cannot be created: ${reason.text}. ${advice}`, { cause });
}
