import type { ByteRange } from '../../uploads/ports.ts';

/** What a Range header asks of a body: all of it, a part, or something it does not have. */
export type RangeOutcome = 'whole' | 'unsatisfiable' | ByteRange;

/**
 * Applies a Range header to a body (OSS "GetObject"; "HTTP status code 416").
 *
 * By default OSS ignores a range that is not wholly inside the body: `bytes=500-2000` of 1000 bytes gives all of
 * them. With `x-oss-range-behavior: standard` what sticks out is cut off, and a range that has no byte in common
 * with the body is an error. Malformed and multiple ranges are ignored either way. How much of this holds for
 * suffixes (`bytes=-5`) is unverified.
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
  const asked = parseRange(header ?? '');
  if (asked === undefined) return 'whole';
  const standard = behavior?.trim().toLowerCase() === 'standard';
  const common = commonBytes(asked, size);
  if (common === undefined) return standard ? 'unsatisfiable' : 'whole';
  return standard || fits(asked, size) ? common : 'whole';
}

/** `bytes=<from>-[<to>]`, or `bytes=-<last>`. */
type AskedRange = { readonly from: number; readonly to: number | undefined } | { last: number };

const ONE_RANGE = /^\s*bytes=([0-9]*)-([0-9]*)\s*$/i;

function parseRange(header: string): AskedRange | undefined {
  const [, first, last] = ONE_RANGE.exec(header) ?? [];
  if (first === undefined || last === undefined) return undefined;
  if (first === '') return last === '' ? undefined : { last: Number(last) };
  const range = { from: Number(first), to: last === '' ? undefined : Number(last) };
  return range.to !== undefined && range.to < range.from ? undefined : range;
}

function commonBytes(asked: AskedRange, size: number): ByteRange | undefined {
  const start = 'last' in asked ? Math.max(size - asked.last, 0) : asked.from;
  const end = 'last' in asked ? size - 1 : Math.min(asked.to ?? Infinity, size - 1);
  return start <= end ? { start, end } : undefined;
}

function fits(asked: AskedRange, size: number): boolean {
  return 'last' in asked ? asked.last <= size : (asked.to ?? asked.from) < size;
}
