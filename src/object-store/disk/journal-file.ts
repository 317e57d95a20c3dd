import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { CoalescedTask } from '../../lib/tasks.ts';
import { hasErrorCode } from '../../lib/errno.ts';
import { randomIds } from '../../lib/ids.ts';
import { PRIVATE_FILE } from '../../lib/private-files.ts';
import { writeBatch } from '../batches.ts';
import { flushFolder, makeDurableFolder, remove } from '../files.ts';
import { encodeNote } from './journal-records.ts';
import { JOURNAL } from './layout.ts';

/** The state of a body. `noted`: it is committed, and the journal has a note of that. */
type BodyState = 'uncommitted' | 'committed' | 'noted';

/** One file of the journal. */
export interface JournalFile {
  readonly number: number;
  readonly path: string;
  readonly handle: FileHandle;
  /** Part of the first line of every record. */
  readonly mark: string;
  readonly flushes: CoalescedTask;
  /** In bytes. */
  size: number;
  /** The bodies that need the journal, because their own files may not be durable yet. */
  readonly bodies: Map<string, BodyState>;
  /** Committed bodies whose note is not written yet. */
  readonly committed: Set<string>;
  /** Deleted bodies whose note is not written yet; the function is called after the write. */
  readonly gone: Map<string, () => void>;
  /** A flush has failed. The file stays for the next start, and later records in it do not count. */
  hasFailed: boolean;
  /** A write has failed, so nothing more may be appended. */
  isTorn: boolean;
  /** The last logged reason why it could not be removed. */
  problem: string | undefined;
}

/** Creates a journal with the first free number, beginning at `from`. */
export async function beginJournalFile(dataDir: string, from: number): Promise<JournalFile> {
  const folder = join(dataDir, JOURNAL);
  await makeDurableFolder(folder);
  const { number, path, handle } = await create(folder, from);
  try {
    await flushFolder(folder);
  } catch (error) {
    // The next start ignores an empty journal, so an error of the removal does not matter.
    await Promise.allSettled([handle.close(), remove(path)]);
    throw error;
  }
  const flushes = new CoalescedTask(() => flush(file));
  const file: JournalFile = {
    ...{ number, path, handle, flushes },
    // A random text that clients cannot know; a locator is one.
    mark: randomIds.locator(),
    ...{ size: 0, bodies: new Map(), committed: new Set(), gone: new Map() },
    ...{ hasFailed: false, isTorn: false, problem: undefined },
  };
  return file;
}

async function create(
  folder: string,
  from: number,
): Promise<Pick<JournalFile, 'number' | 'path' | 'handle'>> {
  for (let number = from; ; number += 1) {
    const path = join(folder, String(number));
    try {
      return { number, path, handle: await open(path, 'wx', PRIVATE_FILE) };
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
    }
  }
}

/** Appends the pending notes and some records. Must not be called again before it resolves. */
export async function writeRecords(
  file: JournalFile,
  records: readonly Uint8Array[],
): Promise<void> {
  const committed = [...file.committed].filter((locator) => file.bodies.has(locator));
  const gone = new Map(file.gone);
  file.committed.clear();
  file.gone.clear();
  for (const locator of committed) file.bodies.set(locator, 'noted');
  try {
    await append(file, [encodeNote(file.mark, { committed, gone: [...gone.keys()] }), ...records]);
  } finally {
    for (const resolve of gone.values()) resolve();
  }
}

async function append(file: JournalFile, chunks: readonly Uint8Array[]): Promise<void> {
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (size === 0) return;
  if (file.isTorn) throw new Error('an earlier write to the journal has failed');
  try {
    await writeBatch(file.handle, { chunks, size }, file.size);
  } catch (error) {
    file.isTorn = true;
    throw error;
  }
  file.size += size;
}

/**
 * After a failed flush the file may have a hole, so later records cannot be trusted, even if a later flush succeeds.
 */
async function flush(file: JournalFile): Promise<void> {
  if (file.hasFailed) throw new Error('an earlier flush of the journal has failed');
  try {
    await file.handle.datasync();
  } catch (error) {
    file.hasFailed = true;
    throw error;
  }
}
