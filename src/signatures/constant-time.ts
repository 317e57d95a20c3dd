import { timingSafeEqual } from 'node:crypto';

/** Compares two texts in a time that does not depend on where they differ; their lengths are not secret. */
export function equalInConstantTime(a: string, b: string): boolean {
  // UTF-16, because UTF-8 encodes different lone surrogates as the same bytes.
  return (
    a.length === b.length && timingSafeEqual(Buffer.from(a, 'utf16le'), Buffer.from(b, 'utf16le'))
  );
}
