import type { ReceiveOutcome } from '../uploads/receive.ts';
import { OssError } from './errors.ts';

/**
 * Makes the refusal of a body that was not stored. OSS has no disk that could be full; clients know its
 * `InternalError` as something to try again.
 */
export function notStored(why: Exclude<ReceiveOutcome['kind'], 'stored'>): OssError {
  switch (why) {
    case 'immutable':
      return new OssError('FileImmutable');
    case 'exists':
      return new OssError('FileAlreadyExists');
    case 'full':
      return new OssError('InternalError', {
        message: 'There is not enough free space for this upload. Please try again later.',
      });
  }
}
