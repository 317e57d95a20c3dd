import type { Database } from 'better-sqlite3';

/** What a commit must survive: `relaxed`, a crash of the process; `durable`, a power cut as well. */
export type Durability = 'relaxed' | 'durable';

interface Step {
  readonly durability: Durability;
  /** @returns what tells the caller, once the transaction has been committed. */
  readonly run: () => () => void;
  readonly reject: (error: unknown) => void;
}

/** A step that is committed, and the caller that is still to be told. */
interface DoneStep extends Step {
  readonly tell: () => void;
}

/**
 * Runs the steps that arrive together in one transaction, so that they share one commit, and lets those that must be
 * durable share a flush, which nobody else waits for. Each step is atomic: one that throws is undone alone, so a step
 * may be run twice and must change nothing but the database.
 */
export class GroupCommit {
  readonly #runAll: (steps: readonly Step[]) => DoneStep[];
  readonly #flush: () => Promise<void>;
  #waiting: Step[] = [];

  /** @param flush - makes durable what was committed before it was called */
  constructor(database: Database, flush: () => Promise<void>) {
    const transaction = database.transaction((steps: readonly Step[]) => steps.map(runStep));
    this.#runAll = (steps) => transaction.immediate(steps);
    this.#flush = flush;
  }

  /** @returns what the step returns, once it is committed. */
  run<T>(durability: Durability, step: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.length === 0) {
        setImmediate(() => {
          this.commit();
        });
      }
      this.#waiting.push({
        durability,
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
  commit(): void {
    const steps = this.#waiting;
    this.#waiting = [];
    if (steps.length === 0) return;
    const done = this.#commitTogether(steps);
    const durable = done.filter((step) => step.durability === 'durable');
    for (const step of done) if (step.durability === 'relaxed') step.tell();
    if (durable.length > 0) this.#tellWhenFlushed(durable);
  }

  /** @returns the steps that are committed; the others have been rejected */
  #commitTogether(steps: readonly Step[]): readonly DoneStep[] {
    try {
      return this.#runAll(steps);
    } catch (error) {
      const culprits = error instanceof StepFailed ? [error.step] : steps;
      for (const step of culprits) step.reject(error instanceof StepFailed ? error.cause : error);
      const rest = steps.filter((step) => !culprits.includes(step));
      return rest.length === 0 ? [] : this.#commitTogether(rest);
    }
  }

  #tellWhenFlushed(durable: readonly DoneStep[]): void {
    this.#flush().then(
      () => {
        for (const step of durable) step.tell();
      },
      (error: unknown) => {
        for (const step of durable) step.reject(error);
      },
    );
  }
}

/** A step has thrown, so that the transaction it was in must be undone. */
class StepFailed extends Error {
  readonly step: Step;

  constructor(step: Step, cause: unknown) {
    super('a step has failed', { cause });
    this.step = step;
  }
}

function runStep(step: Step): DoneStep {
  try {
    return { ...step, tell: step.run() };
  } catch (error) {
    throw new StepFailed(step, error);
  }
}
