import { timingSafeEqual } from 'node:crypto';

/** Compares two texts in a time that tells nothing about where they differ; how long they are is no secret. */
export function equalInConstantTime(a: string, b: string): boolean {
  // UTF-16, because UTF-8 would turn different lone surrogates into the same bytes.
  return (
    a.length === b.length && timingSafeEqual(Buffer.from(a, 'utf16le'), Buffer.from(b, 'utf16le'))
  );
}
