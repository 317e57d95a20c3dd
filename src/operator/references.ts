/** What a text that a person pastes may name. */
export interface PossibleReference {
  /** The object keys, the most likely first. */
  readonly keys: readonly string[];
  /** Whether it may be the id or the name of a firmware package. */
  readonly isName: boolean;
  /** Whether it is the id of a request. */
  readonly isRequest: boolean;
}

const HTTP_URL = /^https?:\/\/[^/?#]+\/([^?#]*)/i;
/** As `x-oss-request-id` has it, and the RequestId of the IoT API. */
const REQUEST_ID = /^(?:[0-9A-F]{24}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})$/i;
/** A key may have many slashes, but a URL has few segments in front of it. */
const MAX_PREFIXES = 8;

/** Reads a reference: an object key, the URL of an object, the id or the name of a package, or the id of a request. */
export function readReference(text: string): PossibleReference {
  const path = HTTP_URL.exec(text)?.[1];
  if (path !== undefined)
    return { keys: keysInPath(decode(path)), isName: false, isRequest: false };
  const decoded = decode(text);
  const keys = decoded === text ? [text] : [text, decoded];
  return { keys, isName: true, isRequest: REQUEST_ID.test(text) };
}

/** In front of a key may be the bucket, and the path of the public URL or of the mount. */
function keysInPath(path: string): string[] {
  const segments = path.split('/');
  const count = Math.min(segments.length, MAX_PREFIXES);
  return Array.from({ length: count }, (_, skipped) => segments.slice(skipped).join('/'));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
