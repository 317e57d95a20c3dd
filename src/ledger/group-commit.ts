import type { Database } from 'better-sqlite3';

/**
 * What a commit must survive: `relaxed`, a crash of the process; `durable`, a power cut as well, which costs
 * one flush of the disk.
 */
export type Durability = 'relaxed' | 'durable';

interface Step {
  /** @returns what tells the caller, once the transaction has been committed. */
  readonly run: () => () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs the steps that arrive together in one transaction, so that they share one commit. Each step is atomic:
 * one that throws is undone alone.
 */
export class GroupCommit {
  readonly #database: Database;
  #waiting: Step[] = [];
  #durable = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** @returns what the step returns, once it is committed. */
  run<T>(durability: Durability, step: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.length === 0) {
        setImmediate(() => {
          this.flush();
        });
      }
      if (durability === 'durable') this.#durable = true;
      this.#waiting.push({
        run: () => {
          const result = step();
          return () => {
            resolve(result);
          };
        },
        reject,
      });
    });
  }

  /** Commits all that waits, now. */
  flush(): void {
    const steps = this.#waiting;
    const durable = this.#durable;
    this.#waiting = [];
    this.#durable = false;
    if (steps.length === 0) return;
    try {
      this.#database.pragma(`synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
      const commit = this.#database.transaction(() => steps.map((step) => this.#attempt(step)));
      for (const tell of commit.immediate()) tell();
    } catch (error) {
      for (const step of steps) step.reject(error);
    }
  }

  #attempt(step: Step): () => void {
    try {
      return this.#database.transaction(step.run)();
    } catch (error) {
      return () => {
        step.reject(error);
      };
    }
  }
}
