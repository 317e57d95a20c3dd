const BRAND = Symbol.for('ota-upload-gateway.ApiCallError');

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
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** An error of another copy of this module is one, too: test runners that reset modules load the kit again. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}
