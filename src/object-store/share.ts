/** How many bytes each of many may have: fewer for each, the more there are. */
export interface ShareLimits {
  readonly max: number;
  /** Each has this number of bytes, even if together they exceed `total`. */
  readonly min: number;
  /** For all together. */
  readonly total: number;
}

/** @returns how many bytes each of `count` may have */
export function share({ max, min, total }: ShareLimits, count: number): number {
  return Math.min(max, Math.max(min, Math.floor(total / Math.max(1, count))));
}
