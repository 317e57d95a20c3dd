import { dirname } from 'node:path';
import type { Logger } from '../../lib/logger.ts';
import { silentLogger } from '../../lib/logger.ts';
import { clearTimeout, setImmediate, setTimeout } from '../../lib/timers.ts';
import { FlushError, flushFile, flushFolder, remove, unlessMissing } from '../files.ts';
import type { JournalFile } from './journal-file.ts';
import { beginJournalFile, writeRecords } from './journal-file.ts';
import { encodeHeader } from './journal-records.ts';
import { objectPath } from './layout.ts';

/** Limits what a start has to read. */
const LIMITS = {
  /** Bytes of one write. */
  writeBytes: 8 * 1024 * 1024,
  /** Bytes of one file; the next body begins a new file. */
  bytes: 64 * 1024 * 1024,
  /** Bodies of one file; the next body begins a new file. */
  bodies: 1024,
  /** Full files that wait until the files of their bodies are flushed. */
  full: 4,
};

/** Commits are noted together with the next bodies, or after this time. */
const NOTE_DELAY_MS = 20;

/** A body that waits for its write. */
interface Entry {
  readonly locator: string;
  readonly md5: string;
  readonly chunks: readonly Uint8Array[];
  /** Of the body, in bytes. */
  readonly size: number;
  readonly resolve: (body: AppendedBody) => void;
  readonly reject: (error: unknown) => void;
}

/** A body that was written to the journal. */
export interface AppendedBody {
  /** Resolves when the body is durable. */
  readonly flushed: Promise<void>;
}

/** More than the header of any body. */
const HEADER_BYTES = 256;

/**
 * Makes small bodies durable together: bodies that arrive at the same time are written to one file with one flush.
 * Their own files are flushed later, before the journal file is removed. After a power cut, the next start restores
 * them from the journal.
 *
 * It also notes which bodies were committed and which were deleted. With these notes a start distinguishes a body that
 * the ledger has lost from a body that was never acknowledged.
 */
export class Journal {
  readonly #dataDir: string;
  readonly #limits: typeof LIMITS;
  readonly #logger: Logger;
  #lastNumber = 0;
  #current: JournalFile | undefined;
  readonly #full = new Set<JournalFile>();
  #releasing: Promise<void> = Promise.resolve();
  #waiting: Entry[] = [];
  /** Files whose notes are written now, without waiting for more bodies. */
  readonly #due = new Set<JournalFile>();
  #noteTimer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  /** @param dataDir - a data folder whose journals are already recovered */
  constructor(
    dataDir: string,
    limits: Partial<typeof LIMITS> = LIMITS,
    logger: Logger = silentLogger,
  ) {
    this.#dataDir = dataDir;
    this.#limits = { ...LIMITS, ...limits };
    this.#logger = logger;
  }

  /** Writes a body, which is then uncommitted. Resolves after the write, before the flush. */
  append(
    locator: string,
    body: { readonly chunks: readonly Uint8Array[]; readonly size: number; readonly md5: string },
  ): Promise<AppendedBody> {
    const { chunks, md5, size } = body;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ locator, md5, chunks, size, resolve, reject });
      this.#startWriting();
    });
  }

  /** Marks a body as committed. @returns false when it is not in the journal */
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
   * Forgets a body that was deleted; does nothing when it is not in the journal. If the journal has noted that the body
   * is committed, waits until the deletion is noted, too. Ignores errors of that write.
   */
  async forget(locator: string): Promise<void> {
    const file = this.#fileOf(locator);
    if (file === undefined) return;
    const isNoted = file.bodies.get(locator) === 'noted';
    file.bodies.delete(locator);
    file.committed.delete(locator);
    const noted = isNoted ? this.#noteDeletion(file, locator) : undefined;
    if (this.#full.has(file)) this.#release(file);
    await noted;
  }

  /** @returns the bodies that are neither committed nor forgotten */
  uncommitted(): string[] {
    return this.#files().flatMap(({ bodies }) =>
      [...bodies].filter(([, state]) => state === 'uncommitted').map(([locator]) => locator),
    );
  }

  /** The number of files that wait until the files of their bodies are flushed. */
  get fullFiles(): number {
    return this.#full.size;
  }

  /** Tries again to remove full files, because the cause of an earlier error may no longer exist. */
  retry(): void {
    for (const file of this.#full) this.#release(file);
  }

  /** Makes the files of all bodies durable and removes the journal. Files with uncommitted bodies stay. */
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

  #noteDeletion(file: JournalFile, locator: string): Promise<void> {
    return new Promise((resolve) => {
      file.gone.set(locator, resolve);
      this.#writeNotes([file]);
    });
  }

  async #writeWaiting(): Promise<void> {
    // Includes all bodies that arrive in this turn of the event loop.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0 || this.#due.size > 0) {
      if (this.#waiting.length > 0) await this.#writeBodies();
      for (const file of this.#due) {
        this.#due.delete(file);
        // Ignores errors: without its note, the next start only has to read the ledger.
        await Promise.allSettled([writeRecords(file, [])]);
      }
    }
    this.#writing = undefined;
  }

  /** Writes as many waiting bodies as the limits of one write and of the file allow. */
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
      // Without a file none of the waiting bodies can be written.
      const failed = entries.length > 0 ? entries : this.#waiting.splice(0);
      for (const entry of failed) entry.reject(error);
      // After a failed write nothing more may be appended to the file.
      this.#retire();
    }
  }

  #countFitting(file: JournalFile): number {
    const bytes = Math.min(this.#limits.writeBytes, this.#limits.bytes - file.size);
    const bodies = Math.min(this.#waiting.length, this.#limits.bodies - file.bodies.size);
    let size = 0;
    for (let count = 0; count < bodies; count += 1) {
      size += HEADER_BYTES + (this.#waiting[count]?.size ?? 0);
      if (size > bytes) return count;
    }
    return Math.max(0, bodies);
  }

  /** Does not wait for the flush, so that the next bodies can be written at the same time. */
  async #writeTogether(file: JournalFile, entries: readonly Entry[]): Promise<void> {
    const records = entries.flatMap(({ chunks, locator, md5, size }) => [
      encodeHeader(file.mark, { locator, size, md5 }),
      ...chunks,
    ]);
    await writeRecords(file, records);
    for (const entry of entries) file.bodies.set(entry.locator, 'uncommitted');
    const flushed = this.#flush(file, entries);
    for (const entry of entries) entry.resolve({ flushed });
    if (file.size >= this.#limits.bytes || file.bodies.size >= this.#limits.bodies) this.#retire();
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
    // Slows down uploads if the disk is too slow.
    if (this.#full.size >= this.#limits.full) await this.#releasing;
    const file = await beginJournalFile(this.#dataDir, this.#lastNumber + 1);
    this.#lastNumber = file.number;
    return file;
  }

  /** Ends the current file: the next body begins a new one. This one is removed when no body needs it. */
  #retire(): void {
    const file = this.#current;
    if (file === undefined) return;
    this.#current = undefined;
    this.#full.add(file);
    this.retry();
  }

  /** Removes a full file if possible; one file at a time. */
  #release(file: JournalFile): void {
    this.#releasing = this.#releasing
      .then(() => this.#removeUnneeded(file))
      .catch((error: unknown) => {
        // After a failed flush a later success proves nothing, so the next start must restore the bodies.
        file.hasFailed ||= error instanceof FlushError;
        const problem = file.hasFailed
          ? 'a journal stays until the next start, because the file of a body could not be flushed'
          : 'a journal could not be removed; it is tried again later';
        if (problem === file.problem) return;
        file.problem = problem;
        this.#logger.warn({ err: error, journal: file.path }, problem);
      });
  }

  /** Flushes the files of all bodies, then removes the journal file; does nothing while a body is uncommitted. */
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
