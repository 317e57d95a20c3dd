import type { RefusalReason } from '../refusals/refusal-reason.ts';

/** What kind of failure it is, from which each door makes its status or its exit code. */
export type OperatorFailure =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'notFound'
  | 'conflict'
  | 'tooLarge'
  | 'tooMany'
  | 'unavailable';

/** Something that an operator has asked for cannot be done. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly kind: OperatorFailure;
  /** For programs, such as `UploadNotFound`. */
  readonly code: string;
  /** What to do; absent when the message says it all. */
  readonly hint: string | undefined;
  /** Why, if the platform has refused it. */
  readonly reason: RefusalReason | undefined;

  constructor(
    kind: OperatorFailure,
    code: string,
    message: string,
    hint?: string,
    reason?: RefusalReason,
  ) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.hint = hint;
    this.reason = reason;
  }
}
