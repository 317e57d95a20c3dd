import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../lib/logger.ts';
import { linkDurably, remove, unlessMissing } from '../files.ts';
import { isLocator } from '../../lib/ids.ts';
import { isJournal, isObjectFolder, JOURNAL, LOST, OBJECTS, STAGING } from './layout.ts';

/** Which entries of each folder belong to the store. */
const OWN_ENTRIES: Readonly<Record<string, (entry: Dirent) => boolean>> = {
  [JOURNAL]: (entry) => entry.isFile() && isJournal(entry.name),
  [STAGING]: (entry) => entry.isFile() && isLocator(entry.name),
  [OBJECTS]: (entry) => !entry.isFile() && isObjectFolder(entry.name),
};

/**
 * Finds entries in the folders of a store that are not its own, such as `lost+found` or notes of an operator. Logs them
 * and leaves them unchanged, except a file with the name of a folder for bodies: that file is moved to `lost/`.
 */
export async function handleForeignFiles(dataDir: string, logger: Logger): Promise<void> {
  const foreign: string[] = [];
  for (const [folder, isOwn] of Object.entries(OWN_ENTRIES)) {
    const path = join(dataDir, folder);
    for (const entry of (await unlessMissing(readdir(path, { withFileTypes: true }))) ?? []) {
      if (isOwn(entry)) continue;
      const name = join(folder, entry.name);
      if (folder === OBJECTS && isObjectFolder(entry.name)) await setAside(dataDir, name, logger);
      else foreign.push(name);
    }
  }
  if (foreign.length === 0) return;
  const some = { count: foreign.length, names: foreign.slice(0, 10) };
  logger.warn(some, 'the data folder has files that are not part of it; they are not changed');
}

async function setAside(dataDir: string, name: string, logger: Logger): Promise<void> {
  const path = join(dataDir, name);
  const kept = await linkDurably(path, join(dataDir, LOST), name.replace('/', '-'));
  await remove(path);
  logger.warn({ path, kept }, 'set aside a file that has the name of a folder for bodies');
}
