import { isFresh } from '../../http/client-date.ts';
import { withPublicHosts } from '../../http/public-host.ts';
import { equalInConstantTime } from '../../signatures/constant-time.ts';
import {
  ALGORITHM_V4,
  formatCredentialV4,
  parseCredentialV4,
  parseDateV4,
  PRODUCT,
} from '../../signatures/credential-v4.ts';
import type { ParsedCredentialV4 } from '../../signatures/credential-v4.ts';
import {
  ossV4CanonicalRequest,
  ossV4StringToSign,
  parseAuthorizationOssV4,
} from '../../signatures/oss-v4.ts';
import { argument, hint, ossError } from '../errors.ts';
import type { OssError } from '../errors.ts';
import { quote } from '../fields.ts';
import {
  checkSkew,
  findBucketKey,
  malformedAuthorization,
  requestHasExpired,
  signatureDoesNotMatch,
} from './signed-request.ts';
import type { AuthorizeDependencies, SignatureMismatch, SignedRequest } from './signed-request.ts';

/** Query parameters that a URL signed by version 4 must have. A request with any of them is checked as one. */
export const URL_PARAMETERS_V4 = [
  'x-oss-signature-version',
  'x-oss-credential',
  'x-oss-signature',
] as const;

/** Maximum lifetime of a URL; documented for forms and for the S3-compatible form, unverified for URLs. */
const MAX_EXPIRES_SECONDS = 604_800;

/**
 * Checks a URL signed by version 4 (OSS "Signature version 4"): the expiry before the signature. The codes of
 * malformed parameters are unverified.
 */
export function checkUrlV4(deps: AuthorizeDependencies, request: SignedRequest): void {
  const parameter = (name: string): string => request.query.get(name) ?? '';
  const version = parameter('x-oss-signature-version');
  if (version !== ALGORITHM_V4) {
    const elements = argument('x-oss-signature-version', version);
    throw ossError('InvalidArgument.version', { elements });
  }
  const credential = parseCredentialV4(parameter('x-oss-credential'));
  if (credential === undefined) {
    const elements = argument('x-oss-credential', parameter('x-oss-credential'));
    throw ossError('InvalidArgument.credential', { elements });
  }
  if (request.query.get('x-oss-additional-headers') === '') {
    const elements = argument('x-oss-additional-headers', '');
    throw ossError('InvalidArgument.additionalHeaders', { elements });
  }
  const date = parameter('x-oss-date');
  checkValidity(deps, date, parameter('x-oss-expires'));
  checkSignature(deps, request, {
    credential,
    date,
    additionalHeaders: parameter('x-oss-additional-headers').split(';').filter(Boolean),
    provided: parameter('x-oss-signature'),
  });
}

/** A client has written both parameters, so the URL needs to be valid by only one of the two clocks. */
function checkValidity(
  { uploads, wallClock }: AuthorizeDependencies,
  date: string,
  expires: string,
): void {
  const from = parseDateV4(date);
  if (from === undefined) {
    throw ossError('InvalidArgument.date', { elements: argument('x-oss-date', date) });
  }
  const seconds = /^[0-9]{1,6}$/.test(expires) ? Number(expires) : 0;
  if (seconds < 1 || seconds > MAX_EXPIRES_SECONDS) {
    throw ossError('InvalidArgument.expires', {
      values: { maximum: String(MAX_EXPIRES_SECONDS) },
      elements: argument('x-oss-expires', expires),
    });
  }
  const until = from + seconds * 1000;
  const times = [uploads.clock.now(), wallClock.now()];
  if (isFresh(from, times, seconds * 1000)) return;
  const now = Math.max(...times);
  if (now > until) throw requestHasExpired(until, now);
  throw ossError('AccessDenied.notYetValid', {
    elements: { ServerTime: new Date(now).toISOString() },
  });
}

/** Checks a request signed in its header by version 4 (OSS "Signature version 4"). */
export function checkHeaderV4(
  deps: AuthorizeDependencies,
  request: SignedRequest,
  header: string,
): void {
  const authorization = parseAuthorizationOssV4(header);
  if (authorization === undefined) throw malformedAuthorization();
  const { credential, additionalHeaders, signature } = authorization;
  const date = (request.headers.get('x-oss-date') ?? '').trim();
  checkSkew(deps, parseDateV4(date));
  checkSignature(deps, request, { credential, date, additionalHeaders, provided: signature });
}

interface SigningV4 {
  readonly credential: ParsedCredentialV4;
  /** YYYYMMDDTHHMMSSZ. */
  readonly date: string;
  readonly additionalHeaders: readonly string[];
  readonly provided: string;
}

function checkSignature(
  deps: AuthorizeDependencies,
  request: SignedRequest,
  signing: SigningV4,
): void {
  const { credential, date, additionalHeaders, provided } = signing;
  const { accessKeyId, region } = credential;
  const bucketKey = findBucketKey(deps, accessKeyId);
  if (!date.startsWith(credential.date)) {
    throw wrongCredential('credentialDate', credential, `x-oss-date is ${quote(date)}`);
  }
  if (region !== deps.region) {
    throw wrongCredential('credentialRegion', credential, `the region is ${deps.region}`);
  }
  if (credential.product !== PRODUCT) throw wrongCredential('credentialProduct', credential);

  const textFor = (signed: SignedRequest): string =>
    ossV4StringToSign(signed, { date, region, additionalHeaders });
  const isSigned = (text: string): boolean =>
    equalInConstantTime(bucketKey.signRequestV4(credential, text), provided);

  const stringToSign = textFor(request);
  if (isSigned(stringToSign)) return;
  const hosts = hostsToTry(deps, additionalHeaders);
  for (const headers of withPublicHosts(request.headers, hosts)) {
    if (isSigned(textFor({ ...request, headers }))) return;
  }
  throw signatureDoesNotMatch('v4', {
    accessKeyId,
    provided,
    stringToSign,
    canonicalRequest: ossV4CanonicalRequest(request, additionalHeaders),
    ...describeHosts(request, hosts),
  });
}

/** @returns the hosts that the client may have signed instead of the received one; none when it signed no host */
function hostsToTry(
  { publicHosts }: AuthorizeDependencies,
  additionalHeaders: readonly string[],
): readonly string[] {
  return additionalHeaders.some((name) => name.toLowerCase() === 'host') ? publicHosts : [];
}

function describeHosts(
  { headers }: SignedRequest,
  tried: readonly string[],
): Pick<SignatureMismatch, 'hosts'> {
  const received = headers.get('host') ?? '';
  const [publicHost] = tried;
  if (publicHost === undefined || tried.includes(received)) return {};
  return { hosts: { received, publicHost } };
}

function wrongCredential(
  cause: 'credentialDate' | 'credentialProduct' | 'credentialRegion',
  credential: ParsedCredentialV4,
  expected?: string,
): OssError {
  const elements = {
    ...argument('x-oss-credential', formatCredentialV4(credential)),
    ...(expected !== undefined && hint(expected)),
  };
  return ossError(`InvalidArgument.${cause}`, { elements });
}
