import type { ByteRange } from '../../uploads/ports.ts';

/** What a Range header selects: the whole body, a part of it, or no byte. */
export type RangeOutcome = 'whole' | 'unsatisfiable' | ByteRange;

/**
 * Applies a Range header to a body (OSS "GetObject"; "HTTP status code 416").
 *
 * By default OSS ignores a range that is not completely inside the body: `bytes=500-2000` of 1000 bytes returns the
 * whole body. With `x-oss-range-behavior: standard` a range is cut at the end of the body, and a range without any byte
 * of the body is an error. Malformed and multiple ranges are always ignored. How much of this holds for suffixes
 * (`bytes=-5`) is unverified.
 *
 * @param header - the value of `Range`
 * @param size - of the body, in bytes
 * @param behavior - the value of `x-oss-range-behavior`
 */
export function resolveRange(
  header: string | undefined,
  size: number,
  behavior: string | undefined,
): RangeOutcome {
  const requested = parseRange(header ?? '');
  if (requested === undefined) return 'whole';
  const isStandard = behavior?.trim().toLowerCase() === 'standard';
  const overlap = findOverlap(requested, size);
  if (overlap === undefined) return isStandard ? 'unsatisfiable' : 'whole';
  return isStandard || isInside(requested, size) ? overlap : 'whole';
}

/** `bytes=<from>-[<to>]`, or `bytes=-<last>`. */
type RequestedRange = { readonly from: number; readonly to: number | undefined } | { last: number };

const ONE_RANGE = /^\s*bytes=([0-9]*)-([0-9]*)\s*$/i;

function parseRange(header: string): RequestedRange | undefined {
  const [, first, last] = ONE_RANGE.exec(header) ?? [];
  if (first === undefined || last === undefined) return undefined;
  if (first === '') return last === '' ? undefined : { last: Number(last) };
  const range = { from: Number(first), to: last === '' ? undefined : Number(last) };
  return range.to !== undefined && range.to < range.from ? undefined : range;
}

function findOverlap(requested: RequestedRange, size: number): ByteRange | undefined {
  const start = 'last' in requested ? Math.max(size - requested.last, 0) : requested.from;
  const end = 'last' in requested ? size - 1 : Math.min(requested.to ?? Infinity, size - 1);
  return start <= end ? { start, end } : undefined;
}

function isInside(requested: RequestedRange, size: number): boolean {
  return 'last' in requested ? requested.last <= size : (requested.to ?? requested.from) < size;
}
