const PART = /^\s*([A-Za-z]+)=(\S+)\s*$/;

/**
 * Splits an Authorization header of the form `<algorithm> Name=value,Name=value`. SDKs send no spaces after the commas,
 * the reference pages have them.
 *
 * @returns values by name; undefined when the algorithm is another one, a part is malformed or empty, a name is given
 *   twice, or a name is not among `names`
 */
export function parseAuthorizationParts(
  header: string,
  algorithm: string,
  names: readonly string[],
): ReadonlyMap<string, string> | undefined {
  if (!header.startsWith(`${algorithm} `)) return undefined;
  const parts = new Map<string, string>();
  for (const part of header.slice(algorithm.length).split(',')) {
    const [, name, value] = PART.exec(part) ?? [];
    if (name === undefined || value === undefined) return undefined;
    if (!names.includes(name) || parts.has(name)) return undefined;
    parts.set(name, value);
  }
  return parts;
}
