import { MAX_QUERY_PARAMETERS } from '../../http/request-target.ts';
import type { Clock } from '../../lib/clock.ts';
import type { BucketKey } from '../../signatures/bucket-key.ts';
import type { SignableRequest } from '../../signatures/signable-request.ts';
import type { UploadDependencies } from '../../uploads/dependencies.ts';
import { ossError } from '../errors.ts';
import type { OssError } from '../errors.ts';

/** What authorizing works with. */
export interface AuthorizeDependencies {
  readonly uploads: Pick<UploadDependencies, 'clock' | 'rules'>;
  readonly bucketKey: BucketKey;
  /** In the credentials of version 4. */
  readonly region: string;
  /** The clock that clients date their requests by; another than `uploads.clock` where that one is moved by hand. */
  readonly wallClock: Clock;
}

/** A request as its signature sees it; of a query parameter that is given twice, the first value. */
export interface SignedRequest extends SignableRequest {
  readonly query: ReadonlyMap<string, string>;
}

/** @throws OssError for a query of too many parameters, before they are sorted */
export function refuseLongQuery(request: { readonly hasTooManyParameters: boolean }): void {
  if (!request.hasTooManyParameters) return;
  throw ossError('InvalidArgument.queryTooLong', {
    values: { maximum: String(MAX_QUERY_PARAMETERS) },
  });
}

/** How far the date of a request may be off (OSS "Add signatures to the header", "Signature version 4"). */
export const MAX_SKEW = 15 * 60 * 1000;

/**
 * Refuses a date that a client wrote unless it is fresh by the gateway's clock or by the wall clock, which is the
 * only one that SDKs know.
 * @param date - Unix milliseconds; undefined when it was absent or malformed
 */
export function checkSkew(
  { uploads, wallClock }: AuthorizeDependencies,
  date: number | undefined,
): void {
  if (date === undefined) throw ossError('AccessDenied.dateMissing');
  const times = [uploads.clock.now(), wallClock.now()];
  if (times.some((now) => Math.abs(now - date) <= MAX_SKEW)) return;
  throw ossError('RequestTimeTooSkewed.header', {
    elements: {
      MaxAllowedSkewMilliseconds: String(MAX_SKEW),
      RequestTime: isoTime(date),
      ServerTime: isoTime(uploads.clock.now()),
    },
  });
}

/** Refuses whatever is not signed by the bucket key; account access keys are for the IoT API alone. */
export function checkAccessKey({ bucketKey }: AuthorizeDependencies, accessKeyId: string): void {
  if (accessKeyId === bucketKey.accessKeyId) return;
  throw ossError('InvalidAccessKeyId', { elements: { OSSAccessKeyId: accessKeyId } });
}

/** Times are Unix milliseconds. The elements are those of a recorded answer of OSS. */
export function requestHasExpired(expires: number, now: number): OssError {
  return ossError('AccessDenied.expired', {
    elements: { Expires: isoTime(expires), ServerTime: isoTime(now) },
  });
}

/** The Authorization header is neither of version 1 nor of version 4. */
export function malformedAuthorization(): OssError {
  // The header is not repeated in the answer: what it is not known to be may be a secret.
  return ossError('InvalidArgument.authorization');
}

/** What a client needs to see where its signature went another way. None of it is secret. */
export interface SignatureMismatch {
  readonly accessKeyId: string;
  readonly provided: string;
  readonly stringToSign: string;
  /** Version 4 signs only a digest of the request: this is what it was made of. */
  readonly canonicalRequest?: string;
}

/** The elements are those of OSS "Troubleshoot signature errors"; `CanonicalRequest` as seen in V4 answers. */
export function signatureDoesNotMatch(
  version: 'v1' | 'v4',
  { accessKeyId, provided, stringToSign, canonicalRequest }: SignatureMismatch,
): OssError {
  return ossError(`SignatureDoesNotMatch.${version}`, {
    elements: {
      OSSAccessKeyId: accessKeyId,
      SignatureProvided: provided,
      StringToSign: stringToSign,
      StringToSignBytes: hexBytes(stringToSign),
      ...(canonicalRequest === undefined ? {} : { CanonicalRequest: canonicalRequest }),
    },
  });
}

function hexBytes(text: string): string {
  const hex = Buffer.from(text, 'utf8').toString('hex').toUpperCase();
  return hex.replace(/..(?!$)/g, '$& ');
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}
