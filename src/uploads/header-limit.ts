/**
 * The most bytes that the names and values of all headers of a stored object may have together, as they are sent. OSS
 * allows the same for user metadata alone (PostObject page). Node's own client reads 16 KiB of headers of a response.
 */
export const MAX_HEADER_BYTES = 8 * 1024;

/** @returns the first header that brings the sum above `maximum` bytes; undefined when the sum stays within it */
export function findExcessHeader(
  headers: Iterable<readonly [name: string, value: string]>,
  maximum: number = MAX_HEADER_BYTES,
): string | undefined {
  let bytes = 0;
  for (const [name, value] of headers) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
    if (bytes > maximum) return name;
  }
  return undefined;
}
