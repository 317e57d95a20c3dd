/**
 * What the names and values of all headers that are stored with an object may have together, in bytes as they are sent.
 * OSS gives as much to user metadata alone (PostObject page). Node's own client reads 16 KiB of headers of a response.
 */
export const MAX_HEADER_BYTES = 8 * 1024;

/** @returns the first header with which headers are larger than `maximum` bytes together; undefined when they are not */
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
