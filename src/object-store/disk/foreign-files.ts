import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../lib/logger.ts';
import { linkDurably, remove, unlessMissing } from './files.ts';
import { isJournal, isLocator, isObjectFolder, JOURNAL, LOST, OBJECTS, STAGING } from './layout.ts';

/** What a folder has of ours. */
const OURS: Readonly<Record<string, (entry: Dirent) => boolean>> = {
  [JOURNAL]: (entry) => entry.isFile() && isJournal(entry.name),
  [STAGING]: (entry) => entry.isFile() && isLocator(entry.name),
  [OBJECTS]: (entry) => !entry.isFile() && isObjectFolder(entry.name),
};

/**
 * Looks for what is not ours in the folders of a store (a file system has its `lost+found`, an operator leaves a note).
 * It is left alone, unless it has the name of a folder that bodies need.
 */
export async function clearTheWay(dataDir: string, logger: Logger): Promise<void> {
  const foreign: string[] = [];
  for (const [folder, isOurs] of Object.entries(OURS)) {
    const path = join(dataDir, folder);
    for (const entry of (await unlessMissing(readdir(path, { withFileTypes: true }))) ?? []) {
      if (isOurs(entry)) continue;
      const name = join(folder, entry.name);
      if (folder === OBJECTS && isObjectFolder(entry.name)) await setAside(dataDir, name, logger);
      else foreign.push(name);
    }
  }
  if (foreign.length === 0) return;
  const some = { count: foreign.length, names: foreign.slice(0, 10) };
  logger.warn(some, 'the data folder has files that are not ours; they are left alone');
}

async function setAside(dataDir: string, name: string, logger: Logger): Promise<void> {
  const path = join(dataDir, name);
  const kept = await linkDurably(path, join(dataDir, LOST), name.replace('/', '-'));
  await remove(path);
  logger.warn({ path, kept }, 'a file with the name of a folder of bodies was set aside');
}
