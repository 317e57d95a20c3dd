/** Orders texts by their UTF-16 code units, which for ASCII is the byte order that the canonical forms ask for. */
export function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
