import { hint, ossError } from '../errors.ts';
import type { OssError } from '../errors.ts';

/** Headers of a part: lower-case name -> values, with one character for each byte. */
export type PartHeaders = ReadonlyMap<string, readonly string[]>;

/** Longest name of a field (page of the EC 0006-00000110). */
export const MAX_NAME_BYTES = 8 * 1024;
/** All headers of one part together. Ours: OSS documents no limit. */
export const MAX_HEADER_BYTES = 32 * 1024;

/**
 * Makes the error of headers that exceed their limit. A field name that exceeds its own limit has its own error (page
 * of the EC 0006-00000110), also if its end has not been received.
 */
export function tooLongHeaders(headers: Buffer): OssError {
  if (!hasLongName(headers.toString('latin1', 0, MAX_HEADER_BYTES)))
    return ossError('MalformedPOSTRequest');
  const elements = {
    MaxSizeAllowed: String(MAX_NAME_BYTES),
    ProposedSize: String(headers.length),
  };
  return ossError('FieldItemTooLong', { elements });
}

/** The time is linear in the length: anybody can send such headers. */
function hasLongName(block: string): boolean {
  const lines = block.replace(FOLD, '').split('\r\n');
  const disposition = lines.find((line) => DISPOSITION.test(line)) ?? '';
  const found = NAME.exec(disposition);
  if (found === null) return false;
  const name = disposition.slice(found.index + found[0].length);
  const end = name.search(NAME_END);
  return (end === -1 ? name.length : end) >= MAX_NAME_BYTES;
}

const DISPOSITION = /^content-disposition[ \t]*:/i;
const NAME = /;[ \t]*name="?/i;
const NAME_END = /["\r\n;]/;

// Some clients escape nothing in the name of a file, so it may have a lone CR or LF.
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:([^\r\n]*(?:filename="[^]*)?)$/i;
/** A line that goes on after a line break and a space. */
const FOLD = /\r\n(?=[ \t])/g;

/** @throws OssError for a line that is not a header */
export function parseHeaders(block: string): PartHeaders {
  const headers = new Map<string, string[]>();
  for (const line of block.replace(FOLD, '').split('\r\n')) {
    if (line === '') continue;
    const [, name, value = ''] = HEADER.exec(line) ?? [];
    if (name === undefined) {
      const elements = hint('a line in the head of a part is not a header');
      throw ossError('MalformedPOSTRequest.partHeader', { elements });
    }
    const values = headers.get(name.toLowerCase());
    if (values === undefined) headers.set(name.toLowerCase(), [value.trim()]);
    else values.push(value.trim());
  }
  return headers;
}
