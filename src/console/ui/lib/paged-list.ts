import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { Page } from '../../../operator/shapes.ts';
import type { ApiError } from './api.ts';
import { callApi } from './api.ts';
import { toApiError } from './resource.ts';

/** A list that is read page by page. */
export interface PagedList<T> {
  /** Undefined until the first page has arrived. */
  readonly items: Signal<readonly T[] | undefined>;
  readonly hasMore: Signal<boolean>;
  readonly isReading: Signal<boolean>;
  readonly error: Signal<ApiError | undefined>;
  /** Begins a list, with another query. */
  readonly start: (query: URLSearchParams) => Promise<void>;
  /** Reads the list again, as many items as are shown. */
  readonly refresh: () => Promise<void>;
  /** Adds the next page. */
  readonly more: () => Promise<void>;
}

/** Items of a page. */
const PAGE = 100;
/** Items that the gateway returns at most at once. */
const MAX_PAGE = 1000;

/** @param path - of the list, below `/_gateway/api/` */
export function createPagedList<T>(path: string): PagedList<T> {
  const items = signal<readonly T[] | undefined>(undefined);
  const hasMore = signal(false);
  const isReading = signal(false);
  const error = signal<ApiError | undefined>(undefined);
  let query = new URLSearchParams();
  let next: string | undefined;
  let running: AbortController | undefined;

  const read = async (
    limit: number,
    after: string | undefined,
    add: (page: readonly T[]) => readonly T[],
  ): Promise<void> => {
    running?.abort();
    const controller = new AbortController();
    running = controller;
    isReading.value = true;
    const search = new URLSearchParams(query);
    search.set('limit', String(limit));
    if (after !== undefined) search.set('after', after);
    try {
      const page = await callApi<Page<T>>(`${path}?${search.toString()}`, {
        signal: controller.signal,
      });
      if (running !== controller) return;
      items.value = add(page.items);
      next = page.next;
      hasMore.value = next !== undefined;
      error.value = undefined;
    } catch (problem) {
      if (running !== controller) return;
      error.value = toApiError(problem);
    }
    isReading.value = false;
  };
  return {
    ...{ items, hasMore, isReading, error },
    start: async (given) => {
      query = given;
      items.value = undefined;
      await read(PAGE, undefined, (page) => page);
    },
    refresh: async () => {
      const shown = Math.min(Math.max(items.peek()?.length ?? 0, PAGE), MAX_PAGE);
      await read(shown, undefined, (page) => page);
    },
    more: async () => {
      if (next === undefined || isReading.peek()) return;
      await read(PAGE, next, (page) => [...(items.peek() ?? []), ...page]);
    },
  };
}
