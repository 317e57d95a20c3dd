import { formatHttpDate } from '../http/http-date.ts';
import type { StoredObject } from '../uploads/upload.ts';
import { ENCRYPTION_HEADERS } from './object-headers.ts';

/** Response headers, by name as they are sent. */
export type ResponseHeaders = ReadonlyMap<string, string>;

/** Headers that an upload may set and that every read gives back, besides `x-oss-meta-*` (OSS "PutObject"). */
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

/** @returns the ETag header: the MD5 in upper case, quoted (OSS "HeadObject"). */
export function etagOf(object: Pick<StoredObject, 'md5'>): string {
  return `"${object.md5.toUpperCase()}"`;
}

/** @returns the headers that tell one body from another; all that a 304 and GetObjectMeta have. */
export function validatorHeaders(object: StoredObject): Map<string, string> {
  return new Map([
    ['ETag', etagOf(object)],
    ['Last-Modified', formatHttpDate(object.storedAt)],
  ]);
}

/** @returns the headers by which a client checks what was stored; those of the whole body, also for a range. */
export function digestHeaders(object: StoredObject): Map<string, string> {
  return new Map([
    ['ETag', etagOf(object)],
    ['x-oss-hash-crc64ecma', object.crc64],
    ['Content-MD5', Buffer.from(object.md5, 'hex').toString('base64')],
  ]);
}

/**
 * Makes the headers of a stored object (OSS "GetObject", "HeadObject"), without its length.
 * @param overrides - response headers that a signed request asks for instead of the stored ones
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

/** Types that a browser opens as a document, or runs. */
const ACTIVE_TYPE = /html|xml|svg|script|multipart|pdf/i;

/**
 * Whoever may upload chooses the content type, and what he uploads is served from the origin of the gateway. So a
 * browser neither guesses another type, nor runs anything of an object, nor shows a document unless the object
 * says by its own Content-Disposition that it wants to be shown; then it is shown in a sandbox. Devices and SDKs
 * ignore all three headers. (OSS itself forces downloads on its own domains.)
 */
function contentGuards(headers: ResponseHeaders): ResponseHeaders {
  const guards = new Map([
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Security-Policy', "default-src 'none'; sandbox"],
  ]);
  const active = ACTIVE_TYPE.test(headers.get('Content-Type') ?? '');
  if (active && !headers.has('Content-Disposition'))
    guards.set('Content-Disposition', 'attachment');
  return guards;
}

/**
 * Stored values are text of any kind. Node sends characters as single bytes, so UTF-8 is spelt out here; what
 * cannot stand in a header becomes a space.
 */
function encode(value: string): string {
  return Buffer.from(value.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, ' '), 'utf8').toString('latin1');
}
