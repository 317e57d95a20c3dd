import { LostBody } from '../http/parsed-body.ts';
import { watchBytes } from '../lib/watched-bytes.ts';
import { POSSIBLE_TRAILER_BYTES } from '../uploads/limits.ts';
import { ossError } from './errors.ts';
import type { OssError } from './errors.ts';

/** The allowed sizes of a file, and its announced size, in bytes. */
export interface SizeLimits {
  readonly min: number;
  readonly max: number;
  /** According to Content-Length; more than the real size if the form continues after the file. */
  readonly announced: number | undefined;
  /** Whether the announced size is that of the file. */
  readonly isExact?: boolean;
}

/**
 * Combines the limits of the policy and of the operator.
 * @throws OssError when Content-Length proves that the file is too large
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
 * Passes on the bytes of a file.
 * @param onEnd - is called after the last byte
 * @throws OssError as soon as there are more than the limit, and at the end if there are fewer than the minimum;
 *   LostBody if there are fewer than announced, which Node would report if the client had not sent them
 */
export function withinSize(
  bytes: AsyncIterable<Buffer>,
  { min, max, announced = 0, isExact = false }: SizeLimits,
  onEnd: () => void,
): AsyncIterable<Buffer> {
  return watchBytes(bytes, {
    onBytes: (size) => {
      if (size > max) throw tooLarge(max, Math.max(size, announced));
    },
    onEnd: (size) => {
      onEnd();
      if (isExact && size < announced) throw new LostBody();
      if (size >= min) return;
      const elements = { MinSizeAllowed: String(min), ProposedSize: String(size) };
      throw ossError('EntityTooSmall', { elements });
    },
  });
}

/** The elements are those that OSS has for form fields; that it has them here is unverified. */
function tooLarge(max: number, proposed: number): OssError {
  const elements = { MaxSizeAllowed: String(max), ProposedSize: String(proposed) };
  return ossError('EntityTooLarge', { elements });
}
