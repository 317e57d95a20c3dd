import {
  fchmodSync,
  fchownSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { flushFolder, writeDurably } from './durable-files.ts';
import { hasErrorCode } from './errno.ts';
import { randomIds } from './ids.ts';

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
    writeDurably(unfinished, after, (file) => {
      if (before !== undefined) copyAccess(target, file);
    });
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
