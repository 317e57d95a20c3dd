import type { RefusalReason } from '../../refusals/refusal-reason.ts';

/** A refused request to the operator API, with the status of the response. */
export class ApiRefusal extends Error {
  readonly status: number;
  /** For programs. */
  readonly code: string;
  /** What to do; absent when the message says it all. */
  readonly hint: string | undefined;
  /** Why, in the words of the operator; absent when the code or the status says it. */
  readonly reason: RefusalReason | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    hint?: string,
    reason?: RefusalReason,
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.reason = reason;
  }
}
