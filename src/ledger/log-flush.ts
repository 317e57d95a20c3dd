import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { Database } from 'better-sqlite3';

/**
 * Flushes SQLite's write-ahead log off the event loop. With `synchronous = NORMAL` SQLite itself flushes the log only
 * when it begins it and at a checkpoint, so a commit is durable once the log was flushed after it. Calls that arrive
 * while a flush is under way share the next one.
 */
export class LogFlush {
  readonly #database: Database;
  #log: FileHandle | undefined;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #hasFailed = false;

  /** @param database - in WAL mode; one in memory has no log, and nothing to flush */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Makes everything that is committed by now durable. */
  flush(): Promise<void> {
    if (this.#database.memory) return Promise.resolve();
    return (this.#next ??= this.#after(this.#running));
  }

  async #after(running: Promise<void>): Promise<void> {
    await Promise.allSettled([running]);
    this.#next = undefined;
    this.#running = this.#flushNow();
    await this.#running;
  }

  async #flushNow(): Promise<void> {
    if (this.#hasFailed) {
      this.#startOver();
      return;
    }
    try {
      this.#log ??= await open(`${this.#database.name}-wal`, 'r');
      await this.#log.datasync();
    } catch (error) {
      this.#hasFailed = true;
      throw error;
    }
  }

  /**
   * After a failed flush the log may have a hole that no later flush fills, because the operating system gives up what
   * it could not write. A checkpoint takes everything out of it and begins it anew.
   */
  #startOver(): void {
    const busy = this.#database.pragma('wal_checkpoint(TRUNCATE)', { simple: true });
    if (busy !== 0) throw new Error('the log of the ledger has failed, and is still being read');
    this.#hasFailed = false;
  }

  /** Waits for the flushes that are under way. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#next ?? this.#running]);
    await this.#log?.close();
  }
}
