import type { FileHandle } from 'node:fs/promises';
import { link, open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from '../../lib/logger.ts';
import {
  flushFolder,
  forEachOf,
  isSameFile,
  linkDurably,
  makeFolder,
  remove,
  unlessMissing,
} from './files.ts';
import { listJournals, listRecovered } from './journal-files.ts';
import { LOST, objectPath, OBJECTS, RECOVERED, STAGING, stagingPath } from './layout.ts';
import type { FoundBody, Gap } from './scan-journal.ts';
import { scanJournal } from './scan-journal.ts';

/** What the journals of a crash say, beside the bodies that they have given back. */
export interface Recovered {
  /** How many journals there were. */
  readonly journals: number;
  /** Some of them had bytes that no crash explains. */
  readonly isDamaged: boolean;
  /** Bodies that were on record before the crash, and were not deleted, as far as that had been noted. */
  readonly committed: ReadonlySet<string>;
}

/** The operating system flushes so many files together. It bounds open files and memory, too. */
const FILES_AT_ONCE = 8;

/** What one journal has. */
interface Content {
  readonly bodies: readonly FoundBody[];
  readonly committed: readonly string[];
  readonly gone: readonly string[];
  /** Those that no crash explains. */
  readonly gaps: readonly Gap[];
}

/**
 * Makes good what a crash has left to the journals: writes every body in them to a durable file of its own, and stages
 * it, because only the ledger can tell what has become of it. Then the journals are put aside, until the bodies were
 * reconciled. A start that is killed meanwhile goes on where it was.
 */
export async function recoverJournals(dataDir: string, logger: Logger): Promise<Recovered> {
  const committed = new Set<string>();
  const result = { journals: 0, isDamaged: false, committed };
  const learn = async (path: string, content: Content): Promise<void> => {
    result.journals += 1;
    for (const locator of content.committed) committed.add(locator);
    if (content.gaps.length === 0) return;
    result.isDamaged = true;
    await keepDamaged(dataDir, path, content.gaps, logger);
  };
  for (const path of await listRecovered(dataDir)) {
    await withJournal(path, (_, content) => learn(path, content));
  }
  const journals = await listJournals(dataDir);
  const folders = new Set<string>();
  for (const path of journals) {
    await withJournal(path, async (file, content) => {
      await learn(path, content);
      await restoreAll(dataDir, file, content, folders);
    });
  }
  if (journals.length > 0) await putAside(dataDir, journals, folders);
  return result;
}

/** Forgets what the journals said: every body of them was reconciled. */
export async function forgetRecovered(dataDir: string): Promise<void> {
  for (const path of await listRecovered(dataDir)) await remove(path);
}

async function withJournal(
  path: string,
  work: (file: FileHandle, content: Content) => Promise<void>,
): Promise<void> {
  await using file = await open(path, 'r');
  await work(file, await readContent(file));
}

async function readContent(file: FileHandle): Promise<Content> {
  const bodies = new Map<string, FoundBody>();
  const committed = new Set<string>();
  const gone = new Set<string>();
  const gaps: Gap[] = [];
  for await (const item of scanJournal(file)) {
    if (item.kind === 'body') {
      bodies.set(item.locator, item);
    } else if (item.kind === 'note') {
      for (const locator of item.committed) committed.add(locator);
      for (const locator of item.gone) gone.add(locator);
    } else if (!item.isTornTail) {
      gaps.push(item);
    }
  }
  for (const locator of gone) {
    bodies.delete(locator);
    committed.delete(locator);
  }
  return { bodies: [...bodies.values()], committed: [...committed], gone: [...gone], gaps };
}

/** Bytes that were not understood may be the last copy of something, so the journal gets a name that nothing removes. */
async function keepDamaged(
  dataDir: string,
  path: string,
  gaps: readonly Gap[],
  logger: Logger,
): Promise<void> {
  const kept = await linkDurably(path, join(dataDir, LOST), `journal-${basename(path)}`);
  const bytes = gaps.reduce((sum, { from, to }) => sum + to - from, 0);
  const places = gaps.map(({ from, to }) => ({ from, to })).slice(0, 10);
  logger.error(
    { journal: path, kept, bytes, places },
    'a journal is damaged: every whole file in it was recovered, and it is kept',
  );
}

async function restoreAll(
  dataDir: string,
  journal: FileHandle,
  { bodies, gone }: Content,
  folders: Set<string>,
): Promise<void> {
  // That they were deleted may not have been durable.
  for (const locator of gone) await remove(objectPath(dataDir, locator));
  for (const { locator } of bodies) {
    const folder = dirname(objectPath(dataDir, locator));
    if (folders.has(folder)) continue;
    await makeFolder(folder);
    folders.add(folder);
  }
  await forEachOf(bodies, FILES_AT_ONCE, (body) => restore(dataDir, journal, body));
}

/** Always anew: of a file that looks right nobody knows whether the disk has it. */
async function restore(
  dataDir: string,
  journal: FileHandle,
  { locator, position, size }: FoundBody,
): Promise<void> {
  const staged = stagingPath(dataDir, locator);
  const object = objectPath(dataDir, locator);
  // Only a file that was flushed gets both names; an earlier start was killed after that.
  if (await isSameFile(staged, object)) return;
  // First, so that a disk that is full has room for the new one.
  await remove(object);
  const bytes = Buffer.allocUnsafe(size);
  await journal.read(bytes, 0, size, position);
  await writeDurably(staged, bytes);
  await link(staged, object);
}

async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  await using file = await open(path, 'w');
  await file.writeFile(bytes);
  await file.datasync();
}

/** Makes the names of all bodies durable, and only then takes the journals out of the way. */
async function putAside(
  dataDir: string,
  journals: readonly string[],
  folders: ReadonlySet<string>,
): Promise<void> {
  const touched = [...folders, join(dataDir, OBJECTS), join(dataDir, STAGING)];
  await forEachOf(touched, FILES_AT_ONCE, flushFolder);
  const aside = join(dataDir, RECOVERED);
  for (const path of journals) await rename(path, join(aside, basename(path)));
  await flushFolder(aside);
  await unlessMissing(flushFolder(dirname(journals[0] ?? aside)));
}
