import { unescape } from 'node:querystring';

/** Decoded name-value pairs in the order of the wire. */
export type Pairs = readonly (readonly [string, string])[];

/**
 * Decodes a query or an urlencoded body. `+` is a space; a `%` that starts no escape stays, and bytes that are no
 * UTF-8 become U+FFFD, so that whatever was sent can be told apart and refused later.
 */
export function parsePairs(text: string): Pairs {
  return text
    .split('&')
    .filter((piece) => piece !== '')
    .map((piece) => {
      const equals = piece.indexOf('=');
      return equals === -1
        ? [decode(piece), '']
        : [decode(piece.slice(0, equals)), decode(piece.slice(equals + 1))];
    });
}

function decode(text: string): string {
  return unescape(text.replaceAll('+', ' '));
}

/** @returns the first name that comes twice. */
export function findRepeated(pairs: Pairs): string | undefined {
  const seen = new Set<string>();
  return pairs.find(([name]) => seen.has(name) || !seen.add(name))?.[0];
}
