import { hmacSha256 } from './digests.ts';

/** The value of `x-oss-signature-version`, and the first word of a V4 Authorization header. */
export const ALGORITHM_V4 = 'OSS4-HMAC-SHA256';

/** The product in the credentials of OSS. */
export const PRODUCT = 'oss';
const TERMINATOR = 'aliyun_v4_request';

/** What a V4 signature is valid for: one access key, one day, one region. */
export interface CredentialV4 {
  readonly accessKeyId: string;
  /** YYYYMMDD, UTC. */
  readonly date: string;
  /** Without the prefix `oss-`, e.g. `cn-hangzhou`. */
  readonly region: string;
}

/** A credential as a client has written it. */
export interface ParsedCredentialV4 extends CredentialV4 {
  /** A credential of another product than `oss` is never valid. */
  readonly product: string;
}

/** The part of a credential that goes into the signing key. */
export type ScopeV4 = Pick<CredentialV4, 'date' | 'region'>;

/**
 * Parses the form field or query parameter `x-oss-credential`,
 * `<AccessKeyId>/<YYYYMMDD>/<region>/oss/aliyun_v4_request` (OSS "Signature version 4").
 *
 * @returns undefined when the text has another format or the date does not exist
 */
export function parseCredentialV4(text: string): ParsedCredentialV4 | undefined {
  const [accessKeyId, date, region, product, terminator, ...rest] = text.split('/');
  if (!accessKeyId || !date || !region || rest.length > 0) return undefined;
  if (!product || terminator !== TERMINATOR) return undefined;
  if (parseDateV4(`${date}T000000Z`) === undefined) return undefined;
  return { accessKeyId, date, region, product };
}

/** @returns the text of `x-oss-credential` */
export function formatCredentialV4({
  accessKeyId,
  date,
  region,
  product = PRODUCT,
}: CredentialV4 & Partial<ParsedCredentialV4>): string {
  return [accessKeyId, date, region, product, TERMINATOR].join('/');
}

/** @returns the credential without its access key, as it is in the string to sign */
export function formatScopeV4({ date, region }: ScopeV4): string {
  return [date, region, PRODUCT, TERMINATOR].join('/');
}

/**
 * Derives the key that makes V4 signatures (alibabacloud-oss-go-sdk-v2 signer/v4.go).
 *
 * @param date - YYYYMMDD
 * @param region - e.g. `cn-hangzhou`
 */
export function signingKeyV4(secret: string, date: string, region: string): Buffer {
  const dateKey = hmacSha256(`aliyun_v4${secret}`, date);
  return [region, PRODUCT, TERMINATOR].reduce<Buffer>(hmacSha256, dateKey);
}

/**
 * @param ms - Unix milliseconds in the years 0 to 9999; parts of a second are dropped
 * @returns YYYYMMDDTHHMMSSZ, the format of `x-oss-date`
 * @throws RangeError when a `Date` cannot hold the time
 */
export function formatDateV4(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

const DATE_V4 = /^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z$/;

/**
 * @param text - YYYYMMDDTHHMMSSZ
 * @returns Unix milliseconds; undefined when the text has another format or the time does not exist
 */
export function parseDateV4(text: string): number | undefined {
  if (!DATE_V4.test(text)) return undefined;
  const time = Date.parse(text.replace(DATE_V4, '$1-$2-$3T$4:$5:$6.000Z'));
  // Formats the time again, because Date.parse rolls over dates that do not exist, such as 30 February.
  return !Number.isNaN(time) && formatDateV4(time) === text ? time : undefined;
}
