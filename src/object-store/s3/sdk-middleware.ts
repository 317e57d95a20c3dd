import type { S3Client } from '@aws-sdk/client-s3';

/** The signature leaves the bytes out, so that they are read once only; https protects them. */
export function leavePayloadUnsigned({ middlewareStack }: S3Client): void {
  middlewareStack.add(
    (next) => (args) => {
      const headers = headersOf(args.request);
      if (headers !== undefined) headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
      return next(args);
    },
    { step: 'build', name: 'leavePayloadUnsigned' },
  );
}

/** The caller tries again: the SDK cannot do so with a stream, and says so on the console. */
export function tryOnce({ middlewareStack }: S3Client): void {
  middlewareStack.add((next) => (args) => next(args), {
    name: 'retryMiddleware',
    ...{ step: 'finalizeRequest', priority: 'high', override: true },
  });
}

/** @returns a function that returns the clock of the store in an answer */
export function rememberDates({ middlewareStack }: S3Client): (answer: object) => number {
  const dates = new WeakMap<object, unknown>();
  middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      if (result.output !== undefined)
        dates.set(result.output, headersOf(result.response)?.['date']);
      return result;
    },
    // Outside of what makes the output from the response.
    { step: 'deserialize', priority: 'high', name: 'rememberDates' },
  );
  return (answer) => {
    const date = Date.parse(String(dates.get(answer)));
    // It has whole seconds, and an object of this second is not from the future.
    if (!Number.isNaN(date)) return date + 999;
    throw new Error('the store has answered without its time in the header Date');
  };
}

/** @returns the headers of a request or a response of the SDK */
function headersOf(message: unknown): Record<string, unknown> | undefined {
  const isMessage = typeof message === 'object' && message !== null && 'headers' in message;
  return isMessage && isRecord(message.headers) ? message.headers : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
