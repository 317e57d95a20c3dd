import type { FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SharedRun } from '../shared-run.ts';
import { hasErrorCode } from '../system-error.ts';
import { flushFolder, makeDurableFolder, unlessMissing } from './files.ts';
import { encodeHeader } from './journal-records.ts';
import { JOURNAL, objectPath } from './layout.ts';

/**
 * A journal that has so many bytes or bodies is followed by a new one; so many full ones may wait until their bodies are
 * flushed. Together they bound what a start has to read.
 */
const MOST = { bytes: 64 * 1024 * 1024, bodies: 1024, full: 4 };

/** One file of the journal. */
interface JournalFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly flushes: SharedRun;
  /** In bytes. */
  size: number;
  /** The bodies that need it, because their own files are not durable yet; and whether each is settled. */
  readonly bodies: Map<string, 'unsettled' | 'settled'>;
  /** It stays for the next start, and nothing that is written to it from now on counts. */
  hasFailed: boolean;
}

/** A body that waits to be written. */
interface Entry {
  readonly locator: string;
  readonly bytes: readonly Uint8Array[];
  /** Bytes of all that. */
  readonly size: number;
  readonly resolve: (body: JournaledBody) => void;
  readonly reject: (error: unknown) => void;
}

/** A body that everybody can find in the journal. */
export interface JournaledBody {
  /** Resolves when it is durable. */
  readonly flushed: Promise<void>;
}

/**
 * Makes small bodies durable together: those that arrive at the same time go into one file one after the other, with
 * one flush for all of them. Their own files are flushed later, before the journal is removed; until then a start
 * makes good from the journal what a power cut has taken of them.
 */
export class Journal {
  readonly #dataDir: string;
  readonly #most: typeof MOST;
  #lastNumber = 0;
  #current: JournalFile | undefined;
  readonly #full = new Set<JournalFile>();
  #releasing: Promise<void> = Promise.resolve();
  #waiting: Entry[] = [];
  #writing: Promise<void> | undefined;

  /** @param dataDir - whose earlier journals have been recovered */
  constructor(dataDir: string, most = MOST) {
    this.#dataDir = dataDir;
    this.#most = most;
  }

  /** @returns once the body is in the journal, unsettled. */
  append(
    locator: string,
    body: { readonly chunks: readonly Uint8Array[]; readonly size: number; readonly md5: string },
  ): Promise<JournaledBody> {
    const header = encodeHeader({ locator, size: body.size, md5: body.md5 });
    const bytes = [header, ...body.chunks];
    return new Promise((resolve, reject) => {
      this.#waiting.push({ locator, bytes, size: header.length + body.size, resolve, reject });
      this.#writing ??= this.#writeWaiting();
    });
  }

  /** @returns false when the body is in no journal */
  settle(locator: string): boolean {
    const file = this.#fileOf(locator);
    if (file === undefined) return false;
    file.bodies.set(locator, 'settled');
    if (this.#full.has(file)) this.#release(file);
    return true;
  }

  /** Is told that a body is gone, whether it was in a journal or not. */
  forget(locator: string): void {
    const file = this.#fileOf(locator);
    if (file === undefined) return;
    file.bodies.delete(locator);
    if (this.#full.has(file)) this.#release(file);
  }

  /** @returns the bodies that are neither settled nor forgotten */
  unsettled(): string[] {
    return this.#files().flatMap(({ bodies }) =>
      [...bodies].filter(([, state]) => state === 'unsettled').map(([locator]) => locator),
    );
  }

  /** Makes the files of all bodies durable, so that the next start finds no journal; unless one is left unsettled. */
  async close(): Promise<void> {
    await this.#writing;
    for (const { flushes } of this.#files()) await flushes.settled();
    this.#retire();
    await this.#releasing;
    for (const { handle } of this.#full) await handle.close();
  }

  #files(): JournalFile[] {
    return [...this.#full, ...(this.#current === undefined ? [] : [this.#current])];
  }

  #fileOf(locator: string): JournalFile | undefined {
    return this.#files().find(({ bodies }) => bodies.has(locator));
  }

  async #writeWaiting(): Promise<void> {
    // Whatever arrives in this turn of the event loop goes along.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const entries = this.#waiting;
      this.#waiting = [];
      try {
        const file = (this.#current ??= await this.#begin());
        await this.#writeTogether(file, entries);
      } catch (error) {
        for (const entry of entries) entry.reject(error);
        // What the file has behind this place cannot be read any more.
        this.#retire();
      }
    }
    this.#writing = undefined;
  }

  /** The next ones are written while these are being flushed. */
  async #writeTogether(file: JournalFile, entries: readonly Entry[]): Promise<void> {
    const size = entries.reduce((sum, entry) => sum + entry.size, 0);
    const { bytesWritten } = await file.handle.writev(entries.flatMap(({ bytes }) => bytes));
    if (bytesWritten !== size) throw shortWrite(bytesWritten, size);
    file.size += size;
    for (const entry of entries) file.bodies.set(entry.locator, 'unsettled');
    const flushed = this.#flush(file, entries);
    for (const entry of entries) entry.resolve({ flushed });
    if (file.size >= this.#most.bytes || file.bodies.size >= this.#most.bodies) this.#retire();
  }

  async #flush(file: JournalFile, entries: readonly Entry[]): Promise<void> {
    try {
      await file.flushes.run();
    } catch (error) {
      for (const { locator } of entries) file.bodies.delete(locator);
      if (file === this.#current) this.#retire();
      throw error;
    }
  }

  async #begin(): Promise<JournalFile> {
    // A disk that cannot keep up must slow down those who upload.
    if (this.#full.size >= this.#most.full) await this.#releasing;
    const folder = join(this.#dataDir, JOURNAL);
    await makeDurableFolder(folder);
    const { path, handle } = await this.#create(folder);
    await flushFolder(folder);
    const flushes = new SharedRun(() => flushJournal(file));
    const file: JournalFile = {
      ...{ path, handle, flushes },
      ...{ size: 0, bodies: new Map(), hasFailed: false },
    };
    return file;
  }

  /** Under the next number that nobody has taken. */
  async #create(folder: string): Promise<Pick<JournalFile, 'path' | 'handle'>> {
    for (;;) {
      const path = join(folder, String((this.#lastNumber += 1)));
      try {
        return { path, handle: await open(path, 'wx') };
      } catch (error) {
        if (!hasErrorCode(error, 'EEXIST')) throw error;
      }
    }
  }

  /** Ends the current file: the next body begins another, and this one goes when no body needs it any more. */
  #retire(): void {
    const file = this.#current;
    if (file === undefined) return;
    this.#current = undefined;
    this.#full.add(file);
    this.#release(file);
  }

  /** Makes what is settled durable in its own files, one journal after the other. */
  #release(file: JournalFile): void {
    this.#releasing = this.#releasing
      .then(() => this.#flushSettled(file))
      // A flush that has failed proves nothing when it is tried again. The next start writes the bodies anew.
      .catch(() => {
        file.hasFailed = true;
      });
  }

  async #flushSettled(file: JournalFile): Promise<void> {
    if (file.hasFailed || !this.#full.has(file)) return;
    const settled = [...file.bodies].filter(([, state]) => state === 'settled');
    const paths = settled.map(([locator]) => objectPath(this.#dataDir, locator));
    for (const path of paths) await unlessMissing(flushFile(path));
    for (const folder of new Set(paths.map(dirname))) await flushFolder(folder);
    for (const [locator] of settled) file.bodies.delete(locator);
    if (file.bodies.size > 0) return;
    this.#full.delete(file);
    await file.handle.close();
    await unlink(file.path);
  }
}

function shortWrite(written: number, wanted: number): Error {
  const message = `only ${String(written)} of ${String(wanted)} bytes fit into the journal`;
  return Object.assign(new Error(message), { code: 'ENOSPC' });
}

/** What comes after a flush that has failed may stand behind a hole, whatever a later flush says. */
async function flushJournal(file: JournalFile): Promise<void> {
  if (file.hasFailed) throw new Error('an earlier flush of the journal has failed');
  try {
    await file.handle.datasync();
  } catch (error) {
    file.hasFailed = true;
    throw error;
  }
}

async function flushFile(path: string): Promise<void> {
  await using file = await open(path, constants.O_RDONLY);
  await file.datasync();
}
