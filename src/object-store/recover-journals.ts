import { link, open } from 'node:fs/promises';
import { join } from 'node:path';
import { flushFolder, makeDurableFolder, remove } from './files.ts';
import { listJournals, readJournals } from './journal-records.ts';
import { JOURNAL, objectFolder, objectPath, STAGING, stagingPath } from './layout.ts';

/**
 * Makes good what a crash has left to the journals: writes every body in them to a durable file of its own, and stages
 * it, because only the ledger can tell what has become of it. Then the journals are not needed any more.
 */
export async function recoverJournals(dataDir: string): Promise<void> {
  const journals = await listJournals(dataDir);
  if (journals.length === 0) return;
  const bodies = await readJournals(journals);
  for (const [locator, bytes] of bodies) await restore(dataDir, locator, bytes);
  const folders = Array.from(bodies.keys(), (locator) => objectFolder(dataDir, locator));
  for (const folder of [...new Set(folders), join(dataDir, STAGING)]) await flushFolder(folder);
  for (const journal of journals) await remove(journal);
  await flushFolder(join(dataDir, JOURNAL));
}

/** Always anew: of a file that looks right nobody knows whether the disk has it. */
async function restore(dataDir: string, locator: string, bytes: Buffer): Promise<void> {
  const staged = stagingPath(dataDir, locator);
  // First, so that a disk that is full has room for the new one.
  await remove(objectPath(dataDir, locator));
  await writeDurably(staged, bytes);
  await makeDurableFolder(objectFolder(dataDir, locator));
  await link(staged, objectPath(dataDir, locator));
}

async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  await using file = await open(path, 'w');
  await file.writeFile(bytes);
  await file.datasync();
}
