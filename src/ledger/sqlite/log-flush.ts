import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { Database } from 'better-sqlite3';
import { CoalescedTask } from '../../lib/coalesced-task.ts';

/**
 * Flushes SQLite's write-ahead log off the event loop. With `synchronous = NORMAL` SQLite itself flushes the log only
 * when it begins it and at a checkpoint, so a commit is durable once the log was flushed after it.
 */
export class LogFlush {
  readonly #database: Database;
  readonly #flushes = new CoalescedTask(() => this.#flushNow());
  #log: FileHandle | undefined;
  #hasFailed = false;

  /** @param database - in WAL mode; one in memory has no log, and nothing to flush */
  constructor(database: Database) {
    this.#database = database;
  }

  /** Makes everything that is committed by now durable. */
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
    await this.#flushes.drain();
    await this.#log?.close();
  }
}
