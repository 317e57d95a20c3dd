import type { Page } from '../../../operator/shapes.ts';
import type { ApiError } from './api.ts';
import { callApi } from './api.ts';
import { createPages } from './pages.ts';
import type { Pages } from './pages.ts';
import { toApiError } from './resource.ts';

/** A list of the operator API that is read page by page. */
export type PagedList<T> = Pages<T, ApiError>;

/** @param path - of the list, below `/_gateway/api/` */
export function createPagedList<T extends object>(path: string): PagedList<T> {
  return createPages<T, ApiError>({
    readPage: (query, signal) => callApi<Page<T>>(`${path}?${query.toString()}`, { signal }),
    toError: toApiError,
  });
}
