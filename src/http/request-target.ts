import type { IncomingMessage } from 'node:http';

/** The parsed target of a request. */
export interface RequestTarget {
  /** Without its port, in lower case; empty when the request has none. */
  readonly host: string;
  /** Percent-encoded as it was sent; begins with `/`. */
  readonly path: string;
  /** Decoded. Of a parameter that is given twice, the first one counts (OSS "Add signatures to a URL"). */
  readonly query: ReadonlyMap<string, string>;
  /** Whether `query` has only the first parameters. */
  readonly hasTooManyParameters: boolean;
}

/** Ours: OSS does not document a limit. Repeated parameters count each time. */
export const MAX_QUERY_PARAMETERS = 1000;

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)([^]*)$/i;
const PORT = /:[0-9]*$/;

/** Parses the target of a request. Never throws. */
export function readTarget(request: Pick<IncomingMessage, 'url' | 'headers'>): RequestTarget {
  const url = request.url ?? '/';
  // The absolute form, which proxies send, outranks the Host header (RFC 9112, 3.2.2).
  const [, authority, rest] = ABSOLUTE_FORM.exec(url) ?? [];
  const [, path = '', search = ''] = /^([^?#]*)\??([^#]*)/.exec(rest ?? url) ?? [];
  return {
    host: (authority ?? request.headers.host ?? '').replace(PORT, '').toLowerCase(),
    path: path.startsWith('/') ? path : '/',
    ...readQuery(search),
  };
}

function readQuery(search: string): Pick<RequestTarget, 'query' | 'hasTooManyParameters'> {
  const query = new Map<string, string>();
  const pieces = search.split('&', MAX_QUERY_PARAMETERS + 1);
  const hasTooManyParameters = pieces.length > MAX_QUERY_PARAMETERS;
  const text = hasTooManyParameters ? pieces.slice(0, MAX_QUERY_PARAMETERS).join('&') : search;
  for (const [name, value] of new URLSearchParams(escapeRawBytes(text))) {
    if (!query.has(name)) query.set(name, value);
  }
  return { query, hasTooManyParameters };
}

/** @returns the decoded text; undefined when an escape is malformed, or the bytes are not UTF-8 */
export function percentDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(escapeRawBytes(text));
  } catch {
    return undefined;
  }
}

/** Escapes raw bytes: some clients send UTF-8 unescaped, of which Node makes one character for each byte. */
function escapeRawBytes(text: string): string {
  return text.replace(/[\x80-\xff]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
}
