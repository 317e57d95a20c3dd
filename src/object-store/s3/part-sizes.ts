const MIB = 1024 * 1024;

/** A body up to this size is sent in one request; it is gathered in memory and never touches the disk. */
export const SMALL_BODY_BYTES = 512 * 1024;

/** A body up to this size is sent in one request, from the spool. */
export const SINGLE_PUT_BYTES = 16 * MIB;

const MIN_PART_BYTES = 8 * MIB;
/** Stores take 10,000 parts at most; a body may turn out larger than it was announced. */
const MAX_PARTS = 9000;

/** @returns the size of the parts of a body, except of the last one, in bytes */
export function partSize(announcedSize: number): number {
  return Math.max(MIN_PART_BYTES, Math.ceil(announcedSize / MAX_PARTS));
}
