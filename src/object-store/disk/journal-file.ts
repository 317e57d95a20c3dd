import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { CoalescedTask } from '../../lib/coalesced-task.ts';
import { hasErrorCode } from '../../lib/errno.ts';
import { randomIds } from '../../lib/ids.ts';
import { writeBatch } from './batches.ts';
import { flushFolder, makeDurableFolder } from './files.ts';
import { encodeNote } from './journal-records.ts';
import { JOURNAL } from './layout.ts';

/** What a journal knows of a body. `noted`: it is committed, and that stands in the journal. */
type BodyState = 'uncommitted' | 'committed' | 'noted';

/** One file of the journal. */
export interface JournalFile {
  readonly number: number;
  readonly path: string;
  readonly handle: FileHandle;
  /** Begins every record. */
  readonly mark: string;
  readonly flushes: CoalescedTask;
  /** In bytes. */
  size: number;
  /** The bodies that need it, because their own files are not durable yet. */
  readonly bodies: Map<string, BodyState>;
  /** Committed bodies that are to be noted. */
  readonly committed: Set<string>;
  /** Bodies that are to be noted as gone, each with its listener. */
  readonly gone: Map<string, () => void>;
  /** It stays for the next start, and nothing that is written to it from now on counts. */
  hasFailed: boolean;
  /** A write has failed, and nothing may be written behind what it has left. */
  isTorn: boolean;
  /** Why it could not be removed, as it was logged. */
  problem: string | undefined;
}

/** Begins a journal under the first number from one on that nobody has taken. */
export async function beginJournalFile(dataDir: string, from: number): Promise<JournalFile> {
  const folder = join(dataDir, JOURNAL);
  await makeDurableFolder(folder);
  const { number, path, handle } = await create(folder, from);
  await flushFolder(folder);
  const flushes = new CoalescedTask(() => flush(file));
  const file: JournalFile = {
    ...{ number, path, handle, flushes },
    // Random, and not told to anybody; the shape of a locator is as good as any.
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
      return { number, path, handle: await open(path, 'wx') };
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
    }
  }
}

/** Writes records behind those that the journal has, and the notes that wait. One write at a time. */
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
    for (const tell of gone.values()) tell();
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

/** What comes after a flush that has failed may stand behind a hole, whatever a later flush says. */
async function flush(file: JournalFile): Promise<void> {
  if (file.hasFailed) throw new Error('an earlier flush of the journal has failed');
  try {
    await file.handle.datasync();
  } catch (error) {
    file.hasFailed = true;
    throw error;
  }
}
