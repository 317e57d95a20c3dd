import { STORE_LIMITS } from '../../../../src/object-store/s3/limits.ts';
import { partSize } from '../../../../src/object-store/s3/part-sizes.ts';
import { waitBeforeRetry } from '../../../../src/object-store/s3/retry.ts';
import { failureOf, storeError } from '../../../../src/object-store/s3/store-errors.ts';
import { StoreUnavailable } from '../../../../src/uploads/unavailable.ts';

const RULE = { tries: 3, delay: 200 };

function sdkError(name: string, status?: number, code?: string): Error {
  const metadata = status === undefined ? {} : { httpStatusCode: status };
  return Object.assign(new Error('no'), { name, $metadata: metadata, ...(code && { code }) });
}

describe('a request that has failed', () => {
  it.each([
    ['silent', sdkError('TimeoutError')],
    ['silent', sdkError('Error', undefined, 'ECONNREFUSED')],
    ['failing', sdkError('InternalError', 500)],
    ['failing', sdkError('SlowDown', 503)],
    ['failing', sdkError('TooManyRequests', 429)],
    ['failing', sdkError('RequestTimeout', 400)],
    ['failing', sdkError('BadDigest', 400)],
    ['skewed', sdkError('RequestTimeTooSkewed', 403)],
    ['missing', sdkError('NoSuchKey', 404)],
    ['missing', sdkError('NotFound', 404)],
    ['refused', sdkError('NoSuchBucket', 404)],
    ['refused', sdkError('AccessDenied', 403)],
    ['refused', sdkError('CredentialsProviderError')],
    ['full', sdkError('QuotaExceeded', 403)],
    ['stopped', sdkError('AbortError')],
    ['unexpected', sdkError('InvalidRequest', 400)],
    ['unexpected', new TypeError('a bug')],
    ['unexpected', 'not an error'],
  ])('counts as %s: %s', (failure, error) => {
    expect(failureOf(error)).toBe(failure);
  });

  it.each(['silent', 'failing'] as const)('is tried three times when it is %s', (last) => {
    const waits = [1, 2, 3].map((count) =>
      waitBeforeRetry(RULE, { count, last, wasSkewed: false }, 0.5),
    );
    expect(waits).toEqual([150, 300, undefined]);
  });

  it('is tried again once, at once, when the clocks differ', () => {
    expect(waitBeforeRetry(RULE, { count: 1, last: 'skewed', wasSkewed: false }, 0)).toBe(0);
    expect(waitBeforeRetry(RULE, { count: 2, last: 'skewed', wasSkewed: true }, 0)).toBeUndefined();
  });

  it.each(['missing', 'refused', 'full', 'stopped', 'unexpected'] as const)(
    'is not tried again when it is %s',
    (last) => {
      const tries = { count: 1, last, wasSkewed: false };
      expect(waitBeforeRetry(RULE, tries, 0)).toBeUndefined();
    },
  );

  it('costs a client about 15 seconds when the store never answers', () => {
    const { retry, stallTimeout } = STORE_LIMITS;
    const waits = [1, 2, 3].map((count) =>
      waitBeforeRetry(retry, { count, last: 'silent', wasSkewed: false }, 1),
    );
    const total = waits.reduce<number>((sum, wait) => sum + (wait ?? 0) + stallTimeout, 0);
    expect(total).toBeLessThan(16_000);
  });

  it.each([
    ['TimeoutError', undefined, /does not answer/],
    ['SlowDown', 503, /cannot answer now/],
    ['RequestTimeTooSkewed', 403, /clock/],
    ['AccessDenied', 403, /check its keys, their rights and the bucket/],
  ])('makes the store unavailable: %s', (name, status, message) => {
    const error = storeError(sdkError(name, status), 's3://bucket');
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error).toHaveProperty('message', expect.stringMatching(message));
  });

  it('has the code of a full disk when the store is full', () => {
    const error = storeError(sdkError('QuotaExceeded', 403), 's3://bucket');
    expect(error).toMatchObject({ code: 'ENOSPC' });
  });
});

describe('the parts of a body', () => {
  const MIB = 1024 * 1024;

  it.each([
    [0, 8 * MIB],
    [9000 * 8 * MIB, 8 * MIB],
    [9000 * 8 * MIB + 1, 8 * MIB + 1],
    [5 * 1024 * 1024 * MIB, Math.ceil((5 * 1024 * 1024 * MIB) / 9000)],
  ])('are so large that a body of %d bytes has few enough', (announced, size) => {
    expect(partSize(announced)).toBe(size);
  });
});
