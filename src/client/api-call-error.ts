/** Thrown when the API refuses a call, or when the response is not one of the IoT API. */
export class ApiCallError extends Error {
  readonly code: string;
  readonly status: number;
  readonly requestId: string | undefined;

  constructor(refusal: {
    code: string;
    message: string;
    status: number;
    requestId?: string | undefined;
  }) {
    super(refusal.message);
    this.name = 'ApiCallError';
    this.code = refusal.code;
    this.status = refusal.status;
    this.requestId = refusal.requestId;
  }
}
