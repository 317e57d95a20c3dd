/** Bytes that each of many may have: less for each, the more there are. */
export interface Shared {
  readonly most: number;
  readonly least: number;
  readonly together: number;
}

/** @returns what each of a number has, of what they may have together */
export function share({ most, least, together }: Shared, count: number): number {
  return Math.min(most, Math.max(least, Math.floor(together / Math.max(1, count))));
}
