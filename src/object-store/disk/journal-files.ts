import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '../files.ts';
import { isJournal, JOURNAL, RECOVERED } from './layout.ts';
import { scanJournal } from './scan-journal.ts';

/** @returns the paths of all journals of a data folder, oldest first */
export function listJournals(dataDir: string): Promise<string[]> {
  return listIn(join(dataDir, JOURNAL));
}

/** @returns the paths of recovered journals whose bodies are not reconciled yet, oldest first */
export function listRecovered(dataDir: string): Promise<string[]> {
  return listIn(join(dataDir, RECOVERED));
}

async function listIn(folder: string): Promise<string[]> {
  const entries = (await unlessMissing(readdir(folder, { withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => entry.isFile() && isJournal(entry.name))
    .map(({ name }) => name)
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => join(folder, name));
}

/** @returns the locators of all complete bodies in some journals */
export async function readJournals(paths: readonly string[]): Promise<Set<string>> {
  const locators = new Set<string>();
  for (const path of paths) {
    // A running server may have removed it.
    const file = await unlessMissing(open(path, 'r'));
    if (file === undefined) continue;
    await using journal = file;
    for await (const item of scanJournal(journal)) {
      if (item.kind === 'body') locators.add(item.locator);
    }
  }
  return locators;
}
