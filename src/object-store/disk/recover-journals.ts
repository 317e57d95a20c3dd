import type { FileHandle } from 'node:fs/promises';
import { link, open, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { forEachOf } from '../../lib/tasks.ts';
import type { Logger } from '../../lib/logger.ts';
import { PRIVATE_FILE } from '../../lib/private-files.ts';
import {
  flushFolder,
  isSameFile,
  linkDurably,
  makeFolder,
  remove,
  unlessMissing,
} from '../files.ts';
import { listJournals, listRecovered } from './journal-files.ts';
import { LOST, objectPath, OBJECTS, RECOVERED, STAGING, stagingPath } from './layout.ts';
import type { FoundBody, Gap } from './scan-journal.ts';
import { scanJournal } from './scan-journal.ts';

/** What is known from the journals of a crash, besides the restored bodies. */
export interface Recovered {
  /** Number of journals. */
  readonly journals: number;
  /** A journal had bytes that a crash does not explain. */
  readonly isDamaged: boolean;
  /** Bodies that were noted as committed, and not as deleted, before the crash. */
  readonly committed: ReadonlySet<string>;
}

/** How many files are written and flushed at the same time; limits open files and memory. */
const FILES_AT_ONCE = 8;

/** The content of one journal. */
interface Content {
  readonly bodies: readonly FoundBody[];
  readonly committed: readonly string[];
  readonly gone: readonly string[];
  /** Without the torn tail that a crash explains. */
  readonly gaps: readonly Gap[];
}

/**
 * Restores the bodies in the journals of a crash: writes each to a durable file in `objects/` and in `staging/`, where
 * reconcile finds it. Then moves the journals to `recovered/`, where they stay until the bodies are reconciled. If a
 * start is killed during this, the next one continues.
 */
export async function recoverJournals(dataDir: string, logger: Logger): Promise<Recovered> {
  const committed = new Set<string>();
  const result = { journals: 0, isDamaged: false, committed };
  const addContent = async (path: string, content: Content): Promise<void> => {
    result.journals += 1;
    for (const locator of content.committed) committed.add(locator);
    if (content.gaps.length === 0) return;
    result.isDamaged = true;
    await keepDamaged(dataDir, path, content.gaps, logger);
  };
  for (const path of await listRecovered(dataDir)) {
    await withJournal(path, (_, content) => addContent(path, content));
  }
  const journals = await listJournals(dataDir);
  const folders = new Set<string>();
  for (const path of journals) {
    await withJournal(path, async (file, content) => {
      await addContent(path, content);
      await restoreAll(dataDir, file, content, folders);
    });
  }
  if (journals.length > 0) await moveToRecovered(dataDir, journals, folders);
  return result;
}

/** Removes the recovered journals, after all their bodies are reconciled. */
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

/** Adds a name in `lost/` to a damaged journal, because its unread bytes may be the last copy of something. */
async function keepDamaged(
  dataDir: string,
  path: string,
  gaps: readonly Gap[],
  logger: Logger,
): Promise<void> {
  const kept = await linkDurably(path, join(dataDir, LOST), `journal-${basename(path)}`);
  const bytes = gaps.reduce((sum, { from, to }) => sum + to - from, 0);
  const ranges = gaps.map(({ from, to }) => ({ from, to })).slice(0, 10);
  logger.error(
    { journal: path, kept, bytes, ranges },
    'a journal is damaged: its complete files are recovered, and the journal is kept',
  );
}

async function restoreAll(
  dataDir: string,
  journal: FileHandle,
  { bodies, gone }: Content,
  folders: Set<string>,
): Promise<void> {
  // The deletion of these files may not have been durable.
  for (const locator of gone) await remove(objectPath(dataDir, locator));
  for (const { locator } of bodies) {
    const folder = dirname(objectPath(dataDir, locator));
    if (folders.has(folder)) continue;
    await makeFolder(folder);
    folders.add(folder);
  }
  await forEachOf(bodies, FILES_AT_ONCE, (body) => restore(dataDir, journal, body));
}

/** Writes the file again even if it looks complete, because it may not be durable. */
async function restore(
  dataDir: string,
  journal: FileHandle,
  { locator, position, size }: FoundBody,
): Promise<void> {
  const staged = stagingPath(dataDir, locator);
  const object = objectPath(dataDir, locator);
  // Only a durable file gets both names, so an earlier start has restored this body.
  if (await isSameFile(staged, object)) return;
  // Removed first, so that a full disk has room for the new file.
  await remove(object);
  const bytes = Buffer.allocUnsafe(size);
  await journal.read(bytes, 0, size, position);
  await writeDurably(staged, bytes);
  await link(staged, object);
}

async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  await using file = await open(path, 'w', PRIVATE_FILE);
  await file.writeFile(bytes);
  await file.datasync();
}

/** Makes the names of all bodies durable, and then moves the journals. */
async function moveToRecovered(
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
