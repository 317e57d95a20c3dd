import { formatHttpDate } from '../http/http-date.ts';
import type { StoredObject } from '../uploads/upload.ts';
import { ENCRYPTION_HEADERS } from './object-headers.ts';

/** Response headers, by name as they are sent. */
export type ResponseHeaders = ReadonlyMap<string, string>;

/** Headers that an upload may set and every read returns, besides `x-oss-meta-*` (OSS "PutObject"). */
const REPLAYED = new Map([
  ['content-type', 'Content-Type'],
  ['cache-control', 'Cache-Control'],
  ['content-disposition', 'Content-Disposition'],
  ['content-encoding', 'Content-Encoding'],
  ['content-language', 'Content-Language'],
  ['expires', 'Expires'],
  ['x-oss-storage-class', 'x-oss-storage-class'],
  ...ENCRYPTION_HEADERS.map((name) => [name, name] as const),
]);

const META = /^x-oss-meta-[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** @returns the ETag header: the MD5 in upper case, quoted (OSS "HeadObject") */
export function etagOf(object: Pick<StoredObject, 'md5'>): string {
  return `"${object.md5.toUpperCase()}"`;
}

/** @returns the headers that identify a version of the object; a 304 and GetObjectMeta have only these */
export function validatorHeaders(object: StoredObject): Map<string, string> {
  return new Map([
    ['ETag', etagOf(object)],
    ['Last-Modified', formatHttpDate(object.storedAt)],
  ]);
}

/** @returns the digests with which a client checks the stored body; also for a range, those of the whole body */
export function digestHeaders(object: StoredObject): Map<string, string> {
  return new Map([
    ['ETag', etagOf(object)],
    ['x-oss-hash-crc64ecma', object.crc64],
    ['Content-MD5', Buffer.from(object.md5, 'hex').toString('base64')],
  ]);
}

/**
 * Returns the headers of a stored object (OSS "GetObject", "HeadObject"), without its length.
 * @param overrides - response headers of a signed request that replace the stored ones
 */
export function objectHeaders(object: StoredObject, overrides: ResponseHeaders): ResponseHeaders {
  const headers = new Map([
    ['Content-Type', 'application/octet-stream'],
    ...validatorHeaders(object),
    ...digestHeaders(object),
    ['Accept-Ranges', 'bytes'],
    ['x-oss-object-type', 'Normal'],
    ['x-oss-storage-class', 'Standard'],
    ...replayed(object.headers),
    ...overrides,
  ]);
  return new Map(
    [...headers, ...contentGuards(headers)].map(([name, value]) => [name, encode(value)]),
  );
}

function replayed(stored: StoredObject['headers']): [string, string][] {
  return Object.entries(stored).flatMap(([name, value]): [string, string][] => {
    const sentAs = REPLAYED.get(name) ?? (META.test(name) ? name : undefined);
    return sentAs === undefined || value === '' ? [] : [[sentAs, value]];
  });
}

/** Types that a browser shows as a document, or runs. */
const ACTIVE_TYPE = /html|xml|svg|script|multipart|pdf/i;

/**
 * Protects the gateway's origin, from which objects with any content type are served. With these headers a browser does
 * not guess another type, does not run scripts of an object, and downloads a document instead of showing it. An object
 * with its own Content-Disposition may be shown, but in a sandbox. Devices and SDKs ignore all three headers. (OSS
 * itself forces downloads on its own domains.)
 */
function contentGuards(headers: ResponseHeaders): ResponseHeaders {
  const guards = new Map([
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Security-Policy', "default-src 'none'; sandbox"],
  ]);
  const isActive = ACTIVE_TYPE.test(headers.get('Content-Type') ?? '');
  if (isActive && !headers.has('Content-Disposition'))
    guards.set('Content-Disposition', 'attachment');
  return guards;
}

/**
 * Encodes a value as UTF-8, with one character for each byte, because Node sends each character of a header as one
 * byte. Replaces characters that a header cannot have with a space.
 */
function encode(value: string): string {
  return Buffer.from(value.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, ' '), 'utf8').toString('latin1');
}
