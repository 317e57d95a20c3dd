import { ossError } from './errors.ts';
import type { OssError } from './errors.ts';

/** How large a file may be, and how large it is going to be, in bytes. */
export interface SizeLimits {
  readonly min: number;
  readonly max: number;
  /** As Content-Length has it; too much by whatever follows the file. */
  readonly announced: number | undefined;
}

/** A form may have so many bytes after its file that a Content-Length proves nothing about them. */
const POSSIBLE_TRAILER_BYTES = 64 * 1024;

/**
 * Combines what the policy and the operator allow.
 * @throws OssError when Content-Length proves already that the file is too large
 */
export function admitSize(
  allowed: { readonly min: number; readonly max: number | undefined },
  operatorMax: number,
  announced: number | undefined,
): SizeLimits {
  const max = Math.min(allowed.max ?? operatorMax, operatorMax);
  if (announced !== undefined && announced - POSSIBLE_TRAILER_BYTES > max) {
    throw tooLarge(max, announced);
  }
  return { min: allowed.min, max, announced };
}

/**
 * Passes the bytes of a file on as long as they are within its limits.
 * @throws OssError as soon as there are too many, and at the end if there were too few
 */
export async function* withinSize(
  bytes: AsyncIterable<Buffer>,
  { min, max, announced = 0 }: SizeLimits,
): AsyncGenerator<Buffer, void, undefined> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > max) throw tooLarge(max, Math.max(size, announced));
    yield chunk;
  }
  if (size < min) {
    const elements = { MinSizeAllowed: String(min), ProposedSize: String(size) };
    throw ossError('EntityTooSmall', { elements });
  }
}

/** The extras are those that OSS has for form fields; that it has them here is unverified. */
function tooLarge(max: number, proposed: number): OssError {
  const elements = { MaxSizeAllowed: String(max), ProposedSize: String(proposed) };
  return ossError('EntityTooLarge', { elements });
}
