import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { keepUnchanged } from './unchanged.ts';

/** A page of a list, as the gateway returns it. */
interface Page<T> {
  readonly items: readonly T[];
  /** `after` of the next page. */
  readonly next?: string;
}

/** Where pages come from. */
interface PageSource<T, E> {
  readonly readPage: (query: URLSearchParams, signal: AbortSignal) => Promise<Page<T>>;
  /** @returns what went wrong, for the person */
  readonly toError: (problem: unknown) => E;
}

/** A list that is read page by page. */
export interface Pages<T, E> {
  /** Undefined until the first page has arrived. */
  readonly items: Signal<readonly T[] | undefined>;
  readonly hasMore: Signal<boolean>;
  readonly isReading: Signal<boolean>;
  readonly error: Signal<E | undefined>;
  /** Begins a list, with another query. */
  readonly start: (query: URLSearchParams) => Promise<void>;
  /** Reads the list again, as many items as were asked for. Those that have not changed stay the same objects. */
  readonly refresh: () => Promise<void>;
  /** Shows one page more. */
  readonly more: () => Promise<void>;
}

/** Items of a page. */
const PAGE = 100;
/** Items that the gateway returns at most at once. */
const MAX_PAGE = 1000;

export function createPages<T extends object, E>(source: PageSource<T, E>): Pages<T, E> {
  const items = signal<readonly T[] | undefined>(undefined);
  const hasMore = signal(false);
  const isReading = signal(false);
  const error = signal<E | undefined>(undefined);
  let query = new URLSearchParams();
  let wanted = PAGE;
  let running: AbortController | undefined;
  /** Whether something has changed since the running read has begun. */
  const isOutdated = signal(false);

  /** Reads all pages anew: a page that is only added could repeat or miss what has moved since. */
  const read = async (): Promise<void> => {
    running?.abort();
    const controller = new AbortController();
    running = controller;
    isReading.value = true;
    isOutdated.value = false;
    try {
      const found = await readPages(source, query, wanted, controller.signal);
      if (running !== controller) return;
      items.value = keepUnchanged(items.peek() ?? [], found.items);
      hasMore.value = found.next !== undefined;
      error.value = undefined;
    } catch (problem) {
      if (running !== controller) return;
      error.value = source.toError(problem);
    }
    isReading.value = false;
    if (isOutdated.peek()) await read();
  };
  return {
    ...{ items, hasMore, isReading, error },
    start: async (given) => {
      query = given;
      wanted = PAGE;
      items.value = undefined;
      hasMore.value = false;
      await read();
    },
    refresh: async () => {
      // To begin anew each time would never end where a read takes longer than the next change.
      if (isReading.peek()) isOutdated.value = true;
      else await read();
    },
    more: async () => {
      if (!hasMore.peek()) return;
      wanted = (items.peek()?.length ?? 0) + PAGE;
      await read();
    },
  };
}

async function readPages<T, E>(
  { readPage }: PageSource<T, E>,
  query: URLSearchParams,
  wanted: number,
  signal: AbortSignal,
): Promise<Page<T>> {
  const items: T[] = [];
  let next: string | undefined;
  do {
    const search = new URLSearchParams(query);
    search.set('limit', String(Math.min(wanted - items.length, MAX_PAGE)));
    if (next !== undefined) search.set('after', next);
    const page = await readPage(search, signal);
    items.push(...page.items);
    next = page.next;
  } while (next !== undefined && items.length < wanted);
  return { items, ...(next !== undefined && { next }) };
}
