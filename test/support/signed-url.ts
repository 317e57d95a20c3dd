import { ALGORITHM_V4, formatCredentialV4 } from '../../src/signatures/credential-v4.ts';
import { byCodeUnit } from '../../src/signatures/ordering.ts';
import { ossV1StringToSign, signOssV1 } from '../../src/signatures/oss-v1.ts';
import { ossV4StringToSign, signOssV4 } from '../../src/signatures/oss-v4.ts';

/** The URL to sign, and the key that signs it. */
interface SignUrlV1Options {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly bucket: string;
  readonly key: string;
  readonly method: string;
  /** Unix seconds. */
  readonly expires: number;
  /** Further query parameters, decoded. */
  readonly query?: Iterable<readonly [string, string]>;
}

/** @returns decoded query pairs of the signed URL: the given ones, then the signing parameters */
export function signUrlV1(options: SignUrlV1Options): [string, string][] {
  const { accessKeyId, secret, bucket, key, method } = options;
  const query = Array.from(options.query ?? [], ([name, value]): [string, string] => [name, value]);
  const expires = String(options.expires);
  const request = { method, bucket, key, query, headers: new Map<string, string>() };
  const signature = signOssV1(secret, ossV1StringToSign(request, expires));
  return [
    ...query,
    ['OSSAccessKeyId', accessKeyId],
    ['Expires', expires],
    ['Signature', signature],
  ];
}

/** The URL to sign, and the key that signs it. */
export interface SignUrlV4Options {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly region: string;
  readonly bucket: string;
  readonly key: string;
  readonly method: string;
  /** YYYYMMDDTHHMMSSZ, see `formatDateV4`. */
  readonly date: string;
  /** Seconds from `date` on for which the URL is valid; OSS allows up to 604800. */
  readonly expires: number;
  /** Headers that the client will send with the request, by lower-case name. */
  readonly headers?: ReadonlyMap<string, string>;
  /** Which of them are signed beside the ones that are always signed. */
  readonly additionalHeaders?: readonly string[];
  /** Further query parameters, decoded; `x-oss-security-token` goes here. */
  readonly query?: Iterable<readonly [string, string]>;
}

/** @returns decoded query pairs of the signed URL: the given ones, then the signing parameters */
export function signUrlV4(options: SignUrlV4Options): [string, string][] {
  const { accessKeyId, secret, region, bucket, key, method, date } = options;
  const scope = { date: date.slice(0, 8), region };
  const additionalHeaders = (options.additionalHeaders ?? [])
    .map((name) => name.toLowerCase())
    .sort(byCodeUnit);
  const query = Array.from(options.query ?? [], ([name, value]): [string, string] => [name, value]);
  query.push(
    ['x-oss-signature-version', ALGORITHM_V4],
    ['x-oss-credential', formatCredentialV4({ accessKeyId, ...scope })],
    ['x-oss-date', date],
    ['x-oss-expires', String(options.expires)],
  );
  // OSS refuses this parameter when it is empty.
  if (additionalHeaders.length > 0) {
    query.push(['x-oss-additional-headers', additionalHeaders.join(';')]);
  }
  const headers = options.headers ?? new Map<string, string>();
  const request = { method, bucket, key, query, headers };
  const stringToSign = ossV4StringToSign(request, { date, region, additionalHeaders });
  return [...query, ['x-oss-signature', signOssV4(secret, scope, stringToSign)]];
}
