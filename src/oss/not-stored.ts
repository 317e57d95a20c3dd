import type { ReceiveOutcome } from '../uploads/receive.ts';
import { ossError } from './errors.ts';
import type { OssError } from './errors.ts';

/** Makes the refusal of a body that was not stored. */
export function notStored(why: Exclude<ReceiveOutcome['kind'], 'stored'>): OssError {
  switch (why) {
    case 'immutable':
      return ossError('FileImmutable');
    case 'exists':
      return ossError('FileAlreadyExists');
    case 'full':
      return ossError('InternalError.diskFull');
  }
}
