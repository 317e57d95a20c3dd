import type { LedgerChange, LedgerWatcher } from '../../uploads/ledger-changes.ts';
import { countUploads } from './count-uploads.ts';
import type { LedgerDatabase } from './database.ts';
import type { Durability } from './group-commit.ts';
import type { PackageTable } from './package-table.ts';

/** A step that changes rows. It adds what it changes to its argument. */
type ChangingStep<T> = (changes: LedgerChange[]) => T;

/** Runs steps that change rows, and reports what each has changed to those who watch the ledger. */
export class WatchedChanges {
  readonly #database: LedgerDatabase;
  readonly #packages: PackageTable;
  readonly #watchers = new Set<LedgerWatcher>();
  readonly #counts = new Set<Promise<void>>();
  #isClosing = false;

  constructor(database: LedgerDatabase, packages: PackageTable) {
    this.#database = database;
    this.#packages = packages;
  }

  run<T>(durability: Durability, step: ChangingStep<T>): Promise<T> {
    const changes: LedgerChange[] = [];
    return this.#database.commits.run(
      durability,
      () => runAnew(changes, step),
      () => {
        this.#report(changes);
      },
    );
  }

  /** Does the same for a step of the purge. @param committed - is called after the commit */
  runPurge<T>(durability: Durability, step: ChangingStep<T>, committed?: () => void): Promise<T> {
    const changes: LedgerChange[] = [];
    return this.#database.runPurge(
      durability,
      () => runAnew(changes, step),
      () => {
        committed?.();
        this.#report(changes);
      },
    );
  }

  #report(changes: readonly LedgerChange[]): void {
    for (const watcher of this.#watchers) for (const change of changes) watcher(change);
  }

  async watch(watcher: LedgerWatcher): Promise<() => void> {
    const stop = (): void => {
      this.#watchers.delete(watcher);
    };
    // Nothing can be committed before the count has its snapshot. What is committed while it goes on is added as well.
    this.#watchers.add(watcher);
    for (const change of this.#packages.countAll()) watcher({ kind: 'packages', ...change });
    const counting = countUploads(this.#database.database, watcher, () => this.#isClosing);
    this.#counts.add(counting);
    try {
      await counting;
      return stop;
    } catch (error) {
      stop();
      throw error;
    } finally {
      this.#counts.delete(counting);
    }
  }

  /** Ends the counts that go on. */
  async endCounts(): Promise<void> {
    this.#isClosing = true;
    await Promise.allSettled(this.#counts);
  }
}

/** Runs a step. It may be run again, when another step of its transaction has failed. */
function runAnew<T>(changes: LedgerChange[], step: ChangingStep<T>): T {
  changes.length = 0;
  return step(changes);
}
