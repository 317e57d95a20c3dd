import { computed, signal } from '@preact/signals';

/** A place in the page, as `location.hash` names it: `#/uploads/KEY?state=stored`. */
export interface Route {
  /** The first part of the path, such as `uploads`. */
  readonly screen: string;
  /** The rest of the path, decoded; empty for a list. */
  readonly id: string;
  readonly query: URLSearchParams;
}

/** @param hash - with or without its `#` */
function parseRoute(hash: string): Route {
  const text = hash.replace(/^#?\/?/, '');
  const start = text.indexOf('?');
  const path = start === -1 ? text : text.slice(0, start);
  const [screen = '', ...rest] = path.split('/');
  return {
    screen,
    id: rest.map(decode).join('/'),
    query: new URLSearchParams(start === -1 ? '' : text.slice(start + 1)),
  };
}

/**
 * @param id - of one thing; absent: the list
 * @param query - entries without a value are left out
 */
export function hrefOf(
  screen: string,
  id = '',
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => !!entry[1]);
  const search = new URLSearchParams(given).toString();
  const path = id === '' ? screen : `${screen}/${encodeURIComponent(id)}`;
  return `#/${path}${search && `?${search}`}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

/** Where the page is. */
export const route = computed(() => parseRoute(hash.value));

/** Changes the query of the present place, without an entry in the history of the browser. */
export function setQuery(query: Readonly<Record<string, string | undefined>>): void {
  const { id, query: present, screen } = route.peek();
  history.replaceState(null, '', hrefOf(screen, id, { ...Object.fromEntries(present), ...query }));
  hash.value = location.hash;
}
