import { parseHttpDate } from '../../http/http-date.ts';

/** What a stored object is compared by. */
export interface Validators {
  /** Quoted. */
  readonly etag: string;
  /** Unix milliseconds. */
  readonly lastModified: number;
}

/** Result of the preconditions: continue, 304 or 412. */
export type PreconditionOutcome = 'proceed' | 'notModified' | 'failed';

type Headers = ReadonlyMap<string, string>;

/**
 * Evaluates `If-Match`, `If-Unmodified-Since`, `If-None-Match` and `If-Modified-Since` (OSS "GetObject"), in the order
 * of RFC 9110, 13.2.2: an ETag outranks the date that asks the same. A malformed date counts as absent.
 */
export function evaluatePreconditions(
  headers: Headers,
  { etag, lastModified }: Validators,
): PreconditionOutcome {
  const ifMatch = headers.get('if-match');
  const unmodifiedSince = date(headers, 'if-unmodified-since');
  const held =
    ifMatch === undefined
      ? unmodifiedSince === undefined || unmodifiedSince >= wholeSeconds(lastModified)
      : lists(ifMatch, etag);
  if (!held) return 'failed';

  const ifNoneMatch = headers.get('if-none-match');
  const modifiedSince = date(headers, 'if-modified-since');
  const known =
    ifNoneMatch === undefined
      ? modifiedSince !== undefined && modifiedSince >= wholeSeconds(lastModified)
      : lists(ifNoneMatch, etag, { weak: true });
  return known ? 'notModified' : 'proceed';
}

/**
 * Says whether a Range header counts in the light of `If-Range` (RFC 9110, 13.1.5; OSS does not document it), so
 * that a download which is resumed after the object was replaced starts again instead of mixing two bodies.
 */
export function rangeCounts(headers: Headers, { etag, lastModified }: Validators): boolean {
  const ifRange = headers.get('if-range');
  if (ifRange === undefined) return true;
  return ifRange.trim() === etag || parseHttpDate(ifRange) === wholeSeconds(lastModified);
}

/** ETags are accepted without quotes, the way OSS shows them in XML (unverified). */
function lists(header: string, etag: string, { weak = false } = {}): boolean {
  return header
    .split(',')
    .map((entry) => (weak ? entry.trim().replace(/^W\//, '') : entry.trim()))
    .some((entry) => entry === '*' || entry === etag || `"${entry}"` === etag);
}

/** HTTP dates know no parts of a second. */
function wholeSeconds(time: number): number {
  return Math.floor(time / 1000) * 1000;
}

function date(headers: Headers, name: string): number | undefined {
  return parseHttpDate(headers.get(name) ?? '');
}
