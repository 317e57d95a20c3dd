import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { hasErrorCode } from './errno.ts';
import { randomIds } from './ids.ts';
import { PRIVATE_FILE } from './private-files.ts';

/**
 * Replaces the text of a file: it has the old text or the new one at every moment, also after a power cut. Its mode and
 * owner stay; a new file can be read by its owner only. A symbolic link stays, and the file that it names is replaced.
 * @param before - the text that the file must still have; undefined for a file that does not exist
 * @throws when another process has changed the file, or the error of the system
 */
export function replaceFile(path: string, before: string | undefined, after: string): void {
  const target = before === undefined ? path : realpathSync(path);
  const unfinished = `${target}.${randomIds.locator()}`;
  try {
    writeDurably(unfinished, before === undefined ? undefined : target, after);
    if (readIfExists(target) !== before) {
      throw new Error(`${path} was changed by another process at the same time. Try again`);
    }
    renameSync(unfinished, target);
  } finally {
    rmSync(unfinished, { force: true });
  }
  flushFolder(dirname(target));
}

/** @param model - the file that has the mode and the owner */
function writeDurably(path: string, model: string | undefined, text: string): void {
  const file = openSync(path, 'wx', PRIVATE_FILE);
  try {
    if (model !== undefined) copyAccess(model, file);
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function copyAccess(model: string, file: number): void {
  const { gid, mode, uid } = statSync(model);
  try {
    fchownSync(file, uid, gid);
  } catch (error) {
    // Only root may give a file away. Then it belongs to the user who has changed it.
    if (!hasErrorCode(error, 'EPERM')) throw error;
  }
  fchmodSync(file, mode & 0o7777);
}

function readIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Makes the names in a folder durable. */
function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
