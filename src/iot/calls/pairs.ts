import { unescape } from 'node:querystring';

/** Decoded name-value pairs in the order of the wire. */
export type Pairs = readonly (readonly [string, string])[];

/** Of a call, in its query and its body together. Ours: no limit is documented, and no operation has half as many. */
export const MAX_PARAMETERS = 1000;

/**
 * Of names and values together, decoded, in UTF-8. Ours: twice what the longest legal ones take. A canonical form
 * takes up to five times as much.
 */
export const MAX_PARAMETER_BYTES = 64 * 1024;

/**
 * Decodes a query or an urlencoded body. `+` is a space; a `%` that starts no escape stays, and bytes that are no
 * UTF-8 become U+FFFD, so that whatever was sent can be told apart and refused later. It stops after the first pair
 * that is one too many.
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

function decode(text: string): string {
  return unescape(text.replaceAll('+', ' '));
}

/** @returns the first name that comes twice. */
export function findRepeated(pairs: Pairs): string | undefined {
  const seen = new Set<string>();
  return pairs.find(([name]) => seen.has(name) || !seen.add(name))?.[0];
}
