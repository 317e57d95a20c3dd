import type { Database } from 'better-sqlite3';
import { preciseNow } from '../../lib/clock.ts';
import { setImmediate } from '../../lib/timers.ts';

/** What a commit survives. `relaxed`: a crash of the process. `durable`: also a power cut. */
export type Durability = 'relaxed' | 'durable';

interface Step {
  readonly durability: Durability;
  /** May be called again, when another step of its transaction has failed. */
  readonly run: () => void;
  /** Passes on the result of the last run; call it after the commit. */
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  readonly committed: (() => void) | undefined;
}

/**
 * Runs steps that arrive together in one transaction with one commit. Durable steps share one flush; relaxed steps do
 * not wait for it. Each step is atomic: when one throws, the transaction is rolled back and the other steps are run
 * again, so a step must change nothing except the database.
 */
export class GroupCommit {
  readonly #runAll: (steps: readonly Step[]) => void;
  readonly #flush: () => Promise<void>;
  readonly #listeners: ((milliseconds: number) => void)[] = [];
  #waiting: Step[] = [];

  /** @param flush - makes everything durable that was committed before the call */
  constructor(database: Database, flush: () => Promise<void>) {
    const transaction = database.transaction((steps: readonly Step[]) => {
      for (const step of steps) runStep(step);
    });
    this.#runAll = (steps) => {
      transaction.immediate(steps);
    };
    this.#flush = flush;
  }

  /**
   * @param committed - is called after the commit, before the flush; not when the step has failed
   * @returns the result of the step, after its commit; for a durable step, after the flush
   */
  run<T>(durability: Durability, step: () => T, committed?: () => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.length === 0) {
        setImmediate(() => {
          this.commit();
        });
      }
      let pass = (): void => undefined;
      this.#waiting.push({
        durability,
        run: () => {
          const result = step();
          pass = () => {
            resolve(result);
          };
        },
        resolve: () => {
          pass();
        },
        reject,
        committed,
      });
    });
  }

  /** Calls back after each commit with its time in milliseconds, including the flush if it has one. */
  onCommit(listener: (milliseconds: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Commits all waiting steps now. */
  commit(): void {
    const steps = this.#waiting;
    this.#waiting = [];
    if (steps.length === 0) return;
    const startedAt = preciseNow();
    const done = this.#commitTogether(steps);
    for (const step of done) step.committed?.();
    const durable = done.filter((step) => step.durability === 'durable');
    for (const step of done) if (step.durability === 'relaxed') step.resolve();
    if (durable.length > 0) this.#resolveAfterFlush(durable, startedAt);
    else this.#measure(startedAt);
  }

  #measure(startedAt: number): void {
    for (const listener of this.#listeners) listener(preciseNow() - startedAt);
  }

  /** @returns the committed steps; the promises of the others are rejected */
  #commitTogether(steps: readonly Step[]): readonly Step[] {
    try {
      this.#runAll(steps);
      return steps;
    } catch (error) {
      const failed = error instanceof StepFailed ? [error.step] : steps;
      for (const step of failed) step.reject(error instanceof StepFailed ? error.cause : error);
      const rest = steps.filter((step) => !failed.includes(step));
      return rest.length === 0 ? [] : this.#commitTogether(rest);
    }
  }

  #resolveAfterFlush(durable: readonly Step[], startedAt: number): void {
    this.#flush().then(
      () => {
        this.#measure(startedAt);
        for (const step of durable) step.resolve();
      },
      (error: unknown) => {
        for (const step of durable) step.reject(error);
      },
    );
  }
}

/** A step has thrown, so its transaction is rolled back. */
class StepFailed extends Error {
  readonly step: Step;

  constructor(step: Step, cause: unknown) {
    super('a step has failed', { cause });
    this.step = step;
  }
}

function runStep(step: Step): void {
  try {
    step.run();
  } catch (error) {
    throw new StepFailed(step, error);
  }
}
