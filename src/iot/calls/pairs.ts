import { unescape } from 'node:querystring';

/** Decoded name-value pairs, in the order in which they were sent. */
export type Pairs = readonly (readonly [string, string])[];

/** Limit for the query and the body of a call together. Ours: none is documented, and no operation has half as many. */
export const MAX_PARAMETERS = 1000;

/**
 * Limit for all names and values of a call together, decoded, in UTF-8. Ours: twice the size of the longest legal ones.
 * Their canonical form can be five times as large.
 */
export const MAX_PARAMETER_BYTES = 64 * 1024;

/**
 * Decodes a query or an urlencoded body. `+` is a space; a `%` that does not start an escape stays, and bytes that are
 * not UTF-8 become U+FFFD, so that a later check can reject them. Stops after the first pair above the limit.
 */
export function parsePairs(text: string): Pairs {
  const pairs: [string, string][] = [];
  for (let at = 0; at < text.length && pairs.length <= MAX_PARAMETERS;) {
    const ampersand = text.indexOf('&', at);
    const end = ampersand === -1 ? text.length : ampersand;
    if (end > at) pairs.push(parsePair(text.slice(at, end)));
    at = end + 1;
  }
  return pairs;
}

function parsePair(piece: string): [string, string] {
  const equals = piece.indexOf('=');
  return equals === -1
    ? [decode(piece), '']
    : [decode(piece.slice(0, equals)), decode(piece.slice(equals + 1))];
}

const ESCAPED = /[%+]/;

function decode(text: string): string {
  // Most names and values have no escape.
  return !ESCAPED.test(text) ? text : unescape(text.replaceAll('+', ' '));
}

/** @returns the first name that is given twice */
export function findRepeated(pairs: Pairs): string | undefined {
  const seen = new Set<string>();
  return pairs.find(([name]) => seen.has(name) || !seen.add(name))?.[0];
}
