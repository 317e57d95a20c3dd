/*
 * The operator API has object keys in paths. Clients fold the segments `.` and `..` of a path, also when their dots are
 * percent-encoded, so such a key is written behind a slash, which no key begins with.
 */

const FOLDED = /^\.{1,2}$/;

/** @returns what is percent-encoded to name a key in a path */
export function keyInPath(key: string): string {
  return FOLDED.test(key) ? `/${key}` : key;
}

/** @param text - a part of a path, decoded @returns the key that it names */
export function keyOfPath(text: string): string {
  return text.replace(/^\//, '');
}
