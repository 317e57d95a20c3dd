import { hrefOf } from '../lib/route.ts';

/** What the address of the lists may have in its query. */
export interface RefusalView {
  readonly view?: 'each' | undefined;
  readonly reason?: string | undefined;
  readonly code?: string | undefined;
  readonly operation?: string | undefined;
  readonly account?: string | undefined;
  readonly key?: string | undefined;
}

/** @returns the address of a view of the refused requests */
export function viewHref(view: RefusalView): string {
  return hrefOf('refusals', '', { ...view });
}
