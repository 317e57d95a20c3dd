import { dirname } from 'node:path';
import type { Logger } from '../../lib/logger.ts';
import { silentLogger } from '../../lib/logger.ts';
import { FlushError, flushFile, flushFolder, remove, unlessMissing } from './files.ts';
import type { JournalFile } from './journal-file.ts';
import { beginJournalFile, writeRecords } from './journal-file.ts';
import { encodeHeader } from './journal-records.ts';
import { objectPath } from './layout.ts';

/**
 * A write has so many bytes at the most. A journal that has so many bytes or bodies is followed by a new one; so many
 * full ones may wait until their bodies are flushed. Together they bound what a start has to read.
 */
const MOST = {
  writeBytes: 8 * 1024 * 1024,
  bytes: 64 * 1024 * 1024,
  bodies: 1024,
  full: 4,
};

/** That a body is committed is written with the next bodies, or after so long without any. */
const NOTE_DELAY_MS = 20;

/** A body that waits to be written. */
interface Entry {
  readonly locator: string;
  readonly md5: string;
  readonly chunks: readonly Uint8Array[];
  /** Of the body, in bytes. */
  readonly size: number;
  readonly resolve: (body: JournaledBody) => void;
  readonly reject: (error: unknown) => void;
}

/** A body that everybody can find in the journal. */
export interface JournaledBody {
  /** Resolves when it is durable. */
  readonly flushed: Promise<void>;
}

/** More than the header of any body. */
const HEADER_BYTES = 256;

/**
 * Makes small bodies durable together: those that arrive at the same time go into one file one after the other, with
 * one flush for all of them. Their own files are flushed later, before the journal is removed; until then a start
 * makes good from the journal what a power cut has taken of them.
 *
 * It notes which bodies were committed and which are gone. So a start can tell a body that the ledger has lost from one
 * that nobody was told of.
 */
export class Journal {
  readonly #dataDir: string;
  readonly #most: typeof MOST;
  readonly #logger: Logger;
  #lastNumber = 0;
  #current: JournalFile | undefined;
  readonly #full = new Set<JournalFile>();
  #releasing: Promise<void> = Promise.resolve();
  #waiting: Entry[] = [];
  /** Journals whose notes are to be written without waiting for more bodies. */
  readonly #due = new Set<JournalFile>();
  #noteTimer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  /** @param dataDir - whose earlier journals have been recovered */
  constructor(dataDir: string, most: Partial<typeof MOST> = MOST, logger: Logger = silentLogger) {
    this.#dataDir = dataDir;
    this.#most = { ...MOST, ...most };
    this.#logger = logger;
  }

  /** @returns once the body is in the journal, uncommitted. */
  append(
    locator: string,
    body: { readonly chunks: readonly Uint8Array[]; readonly size: number; readonly md5: string },
  ): Promise<JournaledBody> {
    const { chunks, md5, size } = body;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ locator, md5, chunks, size, resolve, reject });
      this.#startWriting();
    });
  }

  /** @returns false when the body is in no journal */
  commit(locator: string): boolean {
    const file = this.#fileOf(locator);
    if (file === undefined) return false;
    file.bodies.set(locator, 'committed');
    file.committed.add(locator);
    this.#noteTimer ??= setTimeout(() => {
      this.#noteTimer = undefined;
      this.#writeNotes(this.#files().filter(({ committed }) => committed.size > 0));
    }, NOTE_DELAY_MS).unref();
    if (this.#full.has(file)) this.#release(file);
    return true;
  }

  /**
   * Is told that a body is gone, whether it was in a journal or not.
   * @returns when the journal does not say any more that it is committed, as far as that can be written
   */
  async forget(locator: string): Promise<void> {
    const file = this.#fileOf(locator);
    if (file === undefined) return;
    const isNoted = file.bodies.get(locator) === 'noted';
    file.bodies.delete(locator);
    file.committed.delete(locator);
    const noted = isNoted ? this.#noteGone(file, locator) : undefined;
    if (this.#full.has(file)) this.#release(file);
    await noted;
  }

  /** @returns the bodies that are neither committed nor forgotten */
  uncommitted(): string[] {
    return this.#files().flatMap(({ bodies }) =>
      [...bodies].filter(([, state]) => state === 'uncommitted').map(([locator]) => locator),
    );
  }

  /** Tries again to get rid of full journals; something may have prevented it that has passed. */
  retry(): void {
    for (const file of this.#full) this.#release(file);
  }

  /** Makes the files of all bodies durable, so that the next start finds no journal; unless one is left uncommitted. */
  async close(): Promise<void> {
    await this.#writing;
    for (const { flushes } of this.#files()) await flushes.drain();
    this.#retire();
    this.retry();
    await this.#releasing;
    clearTimeout(this.#noteTimer);
    this.#writeNotes(this.#full);
    await this.#writing;
    for (const { handle } of this.#full) await handle.close();
  }

  #files(): JournalFile[] {
    return [...this.#full, ...(this.#current === undefined ? [] : [this.#current])];
  }

  #fileOf(locator: string): JournalFile | undefined {
    return this.#files().find(({ bodies }) => bodies.has(locator));
  }

  #startWriting(): void {
    this.#writing ??= this.#writeWaiting();
  }

  #writeNotes(files: Iterable<JournalFile>): void {
    for (const file of files) this.#due.add(file);
    if (this.#due.size > 0) this.#startWriting();
  }

  #noteGone(file: JournalFile, locator: string): Promise<void> {
    return new Promise((resolve) => {
      file.gone.set(locator, resolve);
      this.#writeNotes([file]);
    });
  }

  async #writeWaiting(): Promise<void> {
    // Whatever arrives in this turn of the event loop goes along.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0 || this.#due.size > 0) {
      if (this.#waiting.length > 0) await this.#writeBodies();
      for (const file of this.#due) {
        this.#due.delete(file);
        // A note that is missing costs a look at the ledger after a crash.
        await Promise.allSettled([writeRecords(file, [])]);
      }
    }
    this.#writing = undefined;
  }

  /** Writes as many of the waiting bodies as one write and the current file may have. */
  async #writeBodies(): Promise<void> {
    let entries: readonly Entry[] = [];
    try {
      let file = (this.#current ??= await this.#begin());
      if (file.size > 0 && this.#countFitting(file) === 0) {
        this.#retire();
        file = this.#current = await this.#begin();
      }
      entries = this.#waiting.splice(0, Math.max(1, this.#countFitting(file)));
      await this.#writeTogether(file, entries);
    } catch (error) {
      // When there is no file to write to, there is none for any of them.
      const failed = entries.length > 0 ? entries : this.#waiting.splice(0);
      for (const entry of failed) entry.reject(error);
      // What the file has behind this place cannot be read any more.
      this.#retire();
    }
  }

  #countFitting(file: JournalFile): number {
    const bytes = Math.min(this.#most.writeBytes, this.#most.bytes - file.size);
    const bodies = Math.min(this.#waiting.length, this.#most.bodies - file.bodies.size);
    let size = 0;
    for (let count = 0; count < bodies; count += 1) {
      size += HEADER_BYTES + (this.#waiting[count]?.size ?? 0);
      if (size > bytes) return count;
    }
    return Math.max(0, bodies);
  }

  /** The next ones are written while these are being flushed. */
  async #writeTogether(file: JournalFile, entries: readonly Entry[]): Promise<void> {
    const records = entries.flatMap(({ chunks, locator, md5, size }) => [
      encodeHeader(file.mark, { locator, size, md5 }),
      ...chunks,
    ]);
    await writeRecords(file, records);
    for (const entry of entries) file.bodies.set(entry.locator, 'uncommitted');
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
    const file = await beginJournalFile(this.#dataDir, this.#lastNumber + 1);
    this.#lastNumber = file.number;
    return file;
  }

  /** Ends the current file: the next body begins another, and this one goes when no body needs it any more. */
  #retire(): void {
    const file = this.#current;
    if (file === undefined) return;
    this.#current = undefined;
    this.#full.add(file);
    this.retry();
  }

  /** Makes what is committed durable in its own files, one journal after the other. */
  #release(file: JournalFile): void {
    this.#releasing = this.#releasing
      .then(() => this.#removeUnneeded(file))
      .catch((error: unknown) => {
        // A flush that has failed proves nothing when it is tried again. The next start writes the bodies anew.
        file.hasFailed ||= error instanceof FlushError;
        const problem = file.hasFailed
          ? 'a journal stays until the next start: a file of it could not be flushed'
          : 'a journal could not be removed, and is tried again';
        if (problem === file.problem) return;
        file.problem = problem;
        this.#logger.warn({ err: error, journal: file.path }, problem);
      });
  }

  async #removeUnneeded(file: JournalFile): Promise<void> {
    if (file.hasFailed || !this.#full.has(file)) return;
    if ([...file.bodies.values()].includes('uncommitted')) return;
    const paths = Array.from(file.bodies.keys(), (locator) => objectPath(this.#dataDir, locator));
    for (const path of paths) await unlessMissing(flushFile(path));
    for (const folder of new Set(paths.map(dirname))) await unlessMissing(flushFolder(folder));
    await file.handle.close();
    await remove(file.path);
    this.#full.delete(file);
  }
}
