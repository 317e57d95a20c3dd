import { chmodSync, closeSync, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { hasErrorCode } from './errno.ts';

/*
 * Everything in a data folder can be read by its owner only: bodies are firmware, and the ledger names them. A mode is
 * given to each file when it is created; the umask of the process, which is the embedder's, can only restrict it further.
 */

/** Mode of a new file. */
export const PRIVATE_FILE = 0o600;
/** Mode of a new folder. */
export const PRIVATE_FOLDER = 0o700;

const OTHERS = 0o007;
const OWNER = 0o700;

/**
 * Creates an empty file, unless something has its name, for a library that would create it with another mode. Ignores
 * errors: the library reports those that matter.
 */
export function createPrivateFile(path: string): void {
  try {
    // Never opens a file that exists: closing it would release the locks that this process has on it.
    closeSync(openSync(path, 'wx', PRIVATE_FILE));
  } catch {
    // It exists, or cannot be created.
  }
}

/**
 * Creates a folder and its parents, unless they exist. One by one: with `recursive`, Node 20 tries forever in a file
 * system that creates no folders, such as /proc.
 * @returns the created folders, the outermost first
 */
export function makePrivateFolders(path: string): string[] {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) {
    missing.unshift(folder);
  }
  // Throws when it is a file.
  if (missing.length === 0) mkdirSync(path, { recursive: true });
  for (const folder of missing) {
    try {
      mkdirSync(folder, PRIVATE_FOLDER);
    } catch (error) {
      // Another process has created it at the same time.
      if (!hasErrorCode(error, 'EEXIST')) throw error;
    }
  }
  return missing;
}

/**
 * Makes a file or folder private that an older version has created, and that all users can read. Does not change one that
 * only a group can read, because the operator has chosen that, nor symbolic links.
 */
export function makePrivate(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.isSymbolicLink() || (found.mode & OTHERS) === 0) return;
  try {
    chmodSync(path, found.mode & OWNER);
  } catch (error) {
    // It belongs to another user, or its file system has no modes.
    if (!['EPERM', 'ENOTSUP', 'EROFS'].some((code) => hasErrorCode(error, code))) throw error;
  }
}
