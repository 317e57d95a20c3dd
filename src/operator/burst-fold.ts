import { clearTimeout, setTimeout } from '../lib/timers.ts';

/** How long a window is, in milliseconds. */
export const WINDOW_MS = 250;
/** How many events of a window pass; the others are folded. */
export const MAX_IN_WINDOW = 20;

/** What receives the events of a fold. */
export interface FoldTarget<T> {
  readonly onEvent: (event: T) => void;
  /** Is called at the end of a window for all events of it that did not pass, with the last one of them. */
  readonly onFolded: (last: T) => void;
}

/**
 * Passes few events at once, and folds many. A window begins with an event. When it has had too many, another one follows
 * at once, of which nothing passes; the burst is over after a window that would have been small enough.
 */
export class BurstFold<T> {
  readonly #target: FoldTarget<T>;
  #timer: NodeJS.Timeout | undefined;
  #count = 0;
  #isBurst = false;
  #folded: { readonly last: T } | undefined;

  constructor(target: FoldTarget<T>) {
    this.#target = target;
  }

  /** Passes an event, or folds it. */
  add(event: T): void {
    if (this.#timer === undefined) this.#begin();
    this.#count += 1;
    if (!this.#isBurst && this.#count <= MAX_IN_WINDOW) this.#target.onEvent(event);
    else this.#folded = { last: event };
  }

  /** Ends the window now; reports what it has folded. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isBurst = this.#count > MAX_IN_WINDOW;
    this.#count = 0;
    const folded = this.#folded;
    this.#folded = undefined;
    if (folded !== undefined) this.#target.onFolded(folded.last);
  }

  /** Drops what was folded; nothing is reported any more. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#folded = undefined;
  }

  #begin(): void {
    this.#timer = setTimeout(() => {
      this.flush();
      if (this.#isBurst) this.#begin();
    }, WINDOW_MS);
    this.#timer.unref();
  }
}
