import { z } from 'zod';

/** The result of a call, as the caller of the client sees it. */
export type SdkOutcome =
  { readonly returned: unknown } | { readonly thrown: Readonly<Record<string, unknown>> };

/** Waits for a call. @returns what it returned, or every property of the error it threw */
export async function outcomeOf(call: Promise<unknown>): Promise<SdkOutcome> {
  try {
    return { returned: await call };
  } catch (error) {
    return { thrown: anyError.parse(error) };
  }
}

/** Jest gives tests their own global scope, so errors of Node are not instances of the test's Error. */
const anyError = z.looseObject({ name: z.string(), message: z.string() });

/** A refusal of the API. */
export interface Refusal {
  readonly code: string;
  /** The complete text, or a pattern for it. */
  readonly message: string | RegExp;
  /** For gateway errors; a business error has 200. */
  readonly status: number;
}

/**
 * How clients with a common core report a response. Each function returns the expected result of `outcomeOf`, as an
 * object for `toMatchObject`.
 */
export interface SdkFamily {
  /** An operation refused: HTTP 200, `Success` false, `Code` and `ErrorMessage`. */
  refusedByOperation(refusal: Omit<Refusal, 'status'>): SdkOutcome;
  /** The call was refused before its operation, or failed: HTTP 4xx or 5xx, `Code` and `Message`. */
  refusedByGateway(refusal: Refusal): SdkOutcome;
  /** A gateway error with `x-acs-retry-after`. */
  throttled(): SdkOutcome;
}

const REQUEST_ID = expect.stringMatching(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/) as unknown;

const THROTTLING: Refusal = {
  code: 'Throttling.User',
  message:
    /Request was denied due to user flow control\. \w+ may be called \d+ times? per second and account \(OTA_GATEWAY_QPS\); try again in \d+ ms\./,
  status: 400,
};

/** @returns the source of a pattern for a complete message */
function sourceOf(message: string | RegExp): string {
  return message instanceof RegExp
    ? message.source
    : message.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

function textLike(...sources: readonly string[]): unknown {
  return expect.stringMatching(new RegExp(`^${sources.join('')}$`));
}

function businessBody({ code, message }: Omit<Refusal, 'status'>): Record<string, unknown> {
  return {
    RequestId: REQUEST_ID,
    Success: false,
    Code: code,
    ErrorMessage: textLike(sourceOf(message)),
  };
}

function gatewayBody({ code, message }: Refusal): Record<string, unknown> {
  return {
    RequestId: REQUEST_ID,
    HostId: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as unknown,
    Code: code,
    Message: textLike(sourceOf(message)),
    Recommend: expect.stringContaining(`https://api.aliyun.com/troubleshoot?q=${code}&`) as unknown,
  };
}

const returnsBusinessErrors: SdkFamily['refusedByOperation'] = (refusal) => ({
  returned: businessBody(refusal),
});

function teaMessage({ code, message, status }: Refusal): unknown {
  const text = `${code}: code: ${String(status)}, `;
  return textLike(sourceOf(text), sourceOf(message), ' request id: [0-9A-F-]{36}');
}

/** Throws if there is a `Code`; finds no `Message` in a business error. */
export const POP_CORE: SdkFamily = {
  refusedByOperation: (refusal) => ({
    thrown: {
      name: `${refusal.code}Error`,
      code: refusal.code,
      message: textLike('undefined, URL: http:.*'),
      data: businessBody(refusal),
    },
  }),
  refusedByGateway: (refusal) => ({
    thrown: {
      name: `${refusal.code}Error`,
      code: refusal.code,
      message: textLike(sourceOf(refusal.message), ', URL: http:.*'),
      data: gatewayBody(refusal),
    },
  }),
  throttled: () => POP_CORE.refusedByGateway(THROTTLING),
};

/** Throws according to the HTTP status; the caller has to check `success`. */
export const GENERATED: SdkFamily = {
  refusedByOperation: returnsBusinessErrors,
  refusedByGateway: (refusal) => ({
    thrown: {
      name: 'Error',
      code: refusal.code,
      statusCode: refusal.status,
      message: teaMessage(refusal),
      data: gatewayBody(refusal),
    },
  }),
  throttled: () => GENERATED.refusedByGateway(THROTTLING),
};

/** Like the generated clients, but with its own error classes. */
export const OPENAPI_CORE: SdkFamily = {
  refusedByOperation: returnsBusinessErrors,
  refusedByGateway: (refusal) => ({
    thrown: {
      name: refusal.status < 500 ? 'ClientError' : 'ServerError',
      code: refusal.code,
      statusCode: refusal.status,
      requestId: REQUEST_ID,
      message: teaMessage(refusal),
      data: gatewayBody(refusal),
    },
  }),
  throttled: () => ({
    thrown: {
      name: 'ThrottlingError',
      code: THROTTLING.code,
      statusCode: THROTTLING.status,
      requestId: REQUEST_ID,
      message: teaMessage(THROTTLING),
      // Milliseconds, read from the header x-acs-retry-after.
      retryAfter: expect.any(Number) as unknown,
    },
  }),
};
