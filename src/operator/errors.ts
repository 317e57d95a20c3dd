/** What kind of failure it is, from which each door makes its status or its exit code. */
export type OperatorFailure =
  'invalid' | 'forbidden' | 'notFound' | 'conflict' | 'tooLarge' | 'tooMany' | 'unavailable';

/** Something that an operator has asked for cannot be done. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly kind: OperatorFailure;
  /** For programs, such as `UploadNotFound`. */
  readonly code: string;
  /** What to do; absent when the message says it all. */
  readonly hint: string | undefined;

  constructor(kind: OperatorFailure, code: string, message: string, hint?: string) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.hint = hint;
  }
}
