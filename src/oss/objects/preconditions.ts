import { parseHttpDate } from '../../http/http-date.ts';

/** The properties of a stored object that preconditions are compared with. */
export interface Validators {
  /** Quoted. */
  readonly etag: string;
  /** Unix milliseconds. */
  readonly lastModified: number;
}

/** Result of the preconditions: continue, 304, or 412 with the name of the header that failed. */
export type PreconditionOutcome = 'proceed' | 'notModified' | FailedPrecondition;

type FailedPrecondition = 'If-Match' | 'If-Unmodified-Since';

type Headers = ReadonlyMap<string, string>;

/**
 * Evaluates `If-Match`, `If-Unmodified-Since`, `If-None-Match` and `If-Modified-Since` (OSS "GetObject"), in the order
 * of RFC 9110, 13.2.2: a header with an ETag takes precedence over the one with a date. A malformed date counts as
 * absent.
 */
export function evaluatePreconditions(
  headers: Headers,
  { etag, lastModified }: Validators,
): PreconditionOutcome {
  const ifMatch = headers.get('if-match');
  const unmodifiedSince = readDate(headers, 'if-unmodified-since');
  const isMatch =
    ifMatch === undefined
      ? unmodifiedSince === undefined || unmodifiedSince >= wholeSeconds(lastModified)
      : includesEtag(ifMatch, etag);
  if (!isMatch) return ifMatch === undefined ? 'If-Unmodified-Since' : 'If-Match';

  const ifNoneMatch = headers.get('if-none-match');
  const modifiedSince = readDate(headers, 'if-modified-since');
  const isUnmodified =
    ifNoneMatch === undefined
      ? modifiedSince !== undefined && modifiedSince >= wholeSeconds(lastModified)
      : includesEtag(ifNoneMatch, etag, { weak: true });
  return isUnmodified ? 'notModified' : 'proceed';
}

/**
 * Returns whether `If-Range` lets a Range header apply (RFC 9110, 13.1.5; OSS does not document it). If the object was
 * replaced, a resumed download then starts again instead of mixing two bodies.
 */
export function isRangeApplicable(headers: Headers, { etag, lastModified }: Validators): boolean {
  const ifRange = headers.get('if-range');
  if (ifRange === undefined) return true;
  return ifRange.trim() === etag || parseHttpDate(ifRange) === wholeSeconds(lastModified);
}

/** Also accepts ETags without quotes, as OSS writes them in XML (unverified). */
function includesEtag(header: string, etag: string, { weak = false } = {}): boolean {
  return header
    .split(',')
    .map((entry) => (weak ? entry.trim().replace(/^W\//, '') : entry.trim()))
    .some((entry) => entry === '*' || entry === etag || `"${entry}"` === etag);
}

/** HTTP dates have no fractions of a second. */
function wholeSeconds(time: number): number {
  return Math.floor(time / 1000) * 1000;
}

function readDate(headers: Headers, name: string): number | undefined {
  return parseHttpDate(headers.get(name) ?? '');
}
