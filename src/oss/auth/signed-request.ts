import { isFresh, MAX_SKEW, skewOf } from '../../http/client-date.ts';
import { MAX_QUERY_PARAMETERS } from '../../http/request-target.ts';
import type { Clock } from '../../lib/clock.ts';
import type { BucketKey } from '../../signatures/bucket-key.ts';
import type { SignableRequest } from '../../signatures/signable-request.ts';
import type { UploadDependencies } from '../../uploads/dependencies.ts';
import { ossError, unknownAccessKey } from '../errors.ts';
import type { OssError } from '../errors.ts';

/** Dependencies of `authorizeRequest`. */
export interface AuthorizeDependencies {
  readonly uploads: Pick<UploadDependencies, 'clock' | 'observer' | 'rules'>;
  readonly bucketKey: BucketKey;
  /** Region that credentials of version 4 must have. */
  readonly region: string;
  /** Hosts that clients may have signed instead of the received one, because a proxy may replace it. */
  readonly publicHosts: readonly string[];
  /** The machine's clock, which clients date their requests by. A test can move `uploads.clock`, but not this one. */
  readonly wallClock: Clock;
  /** Whether an access key is one of an account. */
  readonly isAccountKey?: (accessKeyId: string) => boolean;
}

/** What a signature covers. For a repeated query parameter, `query` has the first value. */
export interface SignedRequest extends SignableRequest {
  readonly query: ReadonlyMap<string, string>;
}

/** Runs before the parameters are sorted. @throws OssError when a query has too many */
export function refuseLongQuery(request: { readonly hasTooManyParameters: boolean }): void {
  if (!request.hasTooManyParameters) return;
  throw ossError('InvalidArgument.queryTooLong', {
    values: { maximum: String(MAX_QUERY_PARAMETERS) },
  });
}

/**
 * Refuses a request whose date is too far from both clocks: the gateway's clock, and the wall clock, which SDKs use.
 * @param date - Unix milliseconds; undefined when it is absent or malformed
 */
export function checkSkew(
  { uploads, wallClock }: AuthorizeDependencies,
  date: number | undefined,
): void {
  if (date === undefined) throw ossError('AccessDenied.dateMissing');
  const times = [uploads.clock.now(), wallClock.now()];
  uploads.observer.dated?.(skewOf(date, times));
  if (isFresh(date, times)) return;
  throw ossError('RequestTimeTooSkewed.header', {
    elements: {
      MaxAllowedSkewMilliseconds: String(MAX_SKEW),
      RequestTime: isoTime(date),
      ServerTime: isoTime(uploads.clock.now()),
    },
  });
}

/**
 * Refuses every access key except those of the bucket; access keys of accounts are only for the IoT API.
 * @returns the key that verifies the signature
 */
export function findBucketKey(
  { bucketKey, isAccountKey, uploads }: AuthorizeDependencies,
  accessKeyId: string,
): BucketKey {
  const found = bucketKey.find(accessKeyId, uploads.clock.now());
  if (found !== undefined) return found;
  throw unknownAccessKey(accessKeyId, isAccountKey?.(accessKeyId) === true);
}

/** Times are Unix milliseconds. The elements are those of a recorded response of OSS. */
export function requestHasExpired(expires: number, now: number): OssError {
  return ossError('AccessDenied.expired', {
    elements: { Expires: isoTime(expires), ServerTime: isoTime(now) },
  });
}

/** The Authorization header is neither of version 1 nor of version 4. */
export function malformedAuthorization(): OssError {
  // The response does not repeat the header, because an unknown scheme may carry a secret.
  return ossError('InvalidArgument.authorization');
}

/** Values with which a client can find out why its signature differs. None of them is secret. */
export interface SignatureMismatch {
  readonly accessKeyId: string;
  readonly provided: string;
  readonly stringToSign: string;
  /** Version 4 signs only a digest; this is the text of which the digest was computed. */
  readonly canonicalRequest?: string;
  /** The Host header, and the host of the public URL that was tried as well; absent when a proxy cannot be the reason. */
  readonly hosts?: { readonly received: string; readonly publicHost: string };
}

/**
 * The elements are those of OSS "Troubleshoot signature errors"; `CanonicalRequest` as seen in V4 responses. `Host` and
 * `PublicHost` are ours.
 */
export function signatureDoesNotMatch(
  version: 'v1' | 'v4',
  { accessKeyId, provided, stringToSign, canonicalRequest, hosts }: SignatureMismatch,
): OssError {
  return ossError(`SignatureDoesNotMatch.${version}`, {
    elements: {
      OSSAccessKeyId: accessKeyId,
      SignatureProvided: provided,
      StringToSign: stringToSign,
      StringToSignBytes: hexBytes(stringToSign),
      ...(canonicalRequest === undefined ? {} : { CanonicalRequest: canonicalRequest }),
      ...(hosts === undefined ? {} : { Host: hosts.received, PublicHost: hosts.publicHost }),
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
