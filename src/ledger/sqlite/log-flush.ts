import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { Database } from 'better-sqlite3';
import { CoalescedTask } from '../../lib/tasks.ts';

/**
 * Flushes SQLite's write-ahead log without blocking the event loop. With `synchronous = NORMAL` SQLite itself flushes
 * the log only when it begins a new log and at a checkpoint, so a commit is durable after the next flush here.
 */
export class LogFlush {
  readonly #database: Database;
  readonly #flushes = new CoalescedTask(() => this.#flushNow());
  #log: FileHandle | undefined;
  #hasFailed = false;

  /** @param database - in WAL mode, or in memory, which has no log to flush */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Makes everything durable that was committed before this call. */
  flush(): Promise<void> {
    return this.#database.memory ? Promise.resolve() : this.#flushes.run();
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
   * After a failed flush the log may have a hole that no later flush fills, because the operating system drops what it
   * could not write. A checkpoint copies everything into the ledger and empties the log.
   */
  #startOver(): void {
    const busy = this.#database.pragma('wal_checkpoint(TRUNCATE)', { simple: true });
    if (busy !== 0) {
      throw new Error('a flush of the ledger log has failed, and a reader blocks its checkpoint');
    }
    this.#hasFailed = false;
  }

  /** Waits for pending flushes. */
  async close(): Promise<void> {
    await this.#flushes.drain();
    await this.#log?.close();
  }
}
