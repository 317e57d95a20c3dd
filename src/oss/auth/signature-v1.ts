import { parseHttpDate } from '../../http/http-date.ts';
import type { BucketKey } from '../../signatures/bucket-key.ts';
import { equalInConstantTime } from '../../signatures/constant-time.ts';
import { ossV1StringToSign, parseAuthorizationOssV1 } from '../../signatures/oss-v1.ts';
import { argument, hint, ossError } from '../errors.ts';
import { quote } from '../fields.ts';
import {
  checkSkew,
  findBucketKey,
  malformedAuthorization,
  requestHasExpired,
  signatureDoesNotMatch,
} from './signed-request.ts';
import type { AuthorizeDependencies, SignedRequest } from './signed-request.ts';

/** The query parameters of a signed URL. A request with any of them is checked as one. */
export const URL_PARAMETERS_V1 = ['OSSAccessKeyId', 'Expires', 'Signature'] as const;

/**
 * Checks a URL signed by version 1 (OSS "Add signatures to a URL"): the expiry before the signature. `Expires` is
 * compared with the gateway's clock only, because the gateway itself signs downloads with it.
 */
export function checkUrlV1(deps: AuthorizeDependencies, request: SignedRequest): void {
  const [accessKeyId, expires, provided] = URL_PARAMETERS_V1.map((name) => request.query.get(name));
  if (!accessKeyId || !expires || !provided) {
    const missing = URL_PARAMETERS_V1.filter((name) => !request.query.get(name)).join(', ');
    throw ossError('AccessDenied.urlParameters', { elements: hint(`missing: ${missing}`) });
  }
  checkExpires(expires, deps.uploads.clock.now());
  const bucketKey = findBucketKey(deps, accessKeyId);
  checkSignature(bucketKey, request, { accessKeyId, dateOrExpires: expires, provided });
}

/** @param now - Unix milliseconds */
function checkExpires(expires: string, now: number): void {
  // Twelve digits of seconds are always a valid Date.
  if (!/^[0-9]{1,12}$/.test(expires)) {
    const elements = argument('Expires', quote(expires));
    throw ossError('AccessDenied.expiresMalformed', { elements });
  }
  const deadline = Number(expires) * 1000;
  if (now > deadline) throw requestHasExpired(deadline, now);
}

/** Checks a request signed in its header by version 1 (OSS "Add signatures to the header"). */
export function checkHeaderV1(
  deps: AuthorizeDependencies,
  request: SignedRequest,
  header: string,
): void {
  const authorization = parseAuthorizationOssV1(header);
  if (authorization === undefined) throw malformedAuthorization();
  // Browsers cannot set `Date`; ali-oss sends and signs `x-oss-date` in its place.
  const date = (request.headers.get('x-oss-date') ?? request.headers.get('date') ?? '').trim();
  checkSkew(deps, parseHttpDate(date));
  const { accessKeyId, signature } = authorization;
  const bucketKey = findBucketKey(deps, accessKeyId);
  checkSignature(bucketKey, request, { accessKeyId, dateOrExpires: date, provided: signature });
}

interface SigningV1 {
  readonly accessKeyId: string;
  readonly dateOrExpires: string;
  readonly provided: string;
}

function checkSignature(
  bucketKey: BucketKey,
  request: SignedRequest,
  { accessKeyId, dateOrExpires, provided }: SigningV1,
): void {
  const stringToSign = ossV1StringToSign(request, dateOrExpires);
  if (equalInConstantTime(bucketKey.signRequestV1(stringToSign), provided)) return;
  throw signatureDoesNotMatch('v1', { accessKeyId, provided, stringToSign });
}
