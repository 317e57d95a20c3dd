/** Compares texts by UTF-16 code units; for ASCII that is the byte order that the canonical forms require. */
export function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
