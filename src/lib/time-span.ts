/** The units of a time span, in milliseconds; a span is given in the largest that it has at least two of. */
const SPANS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** @returns a time span for people, such as `90 s`, `12 min`, `3 d`; negative ones begin with a minus */
export function formatSpan(milliseconds: number): string {
  const span = Math.abs(milliseconds);
  const [unit, size] = SPANS.find(([, size]) => span >= 2 * size) ?? ['s', 1000];
  const sign = milliseconds <= -1000 ? '-' : '';
  return `${sign}${String(Math.floor(span / size))} ${unit}`;
}
