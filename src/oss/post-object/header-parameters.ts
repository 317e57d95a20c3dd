/** A parsed header such as `form-data; name="key"`. */
export interface ParameterizedHeader {
  /** The text before the first semicolon, in lower case. */
  readonly value: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const VALUE = /[^;]*/y;
// A backslash escapes only a quote and itself, because old Windows browsers send complete paths as file names.
const PARAMETER =
  /\s*;\s*(?:([^=;\s"]+)\s*=\s*(?:"((?:\\["\\]|[^"\\]|\\(?!["\\]))*)"|([^;"]*))|$)/y;

/**
 * Parses a header with parameters (RFC 9110, 5.6.6; RFC 7578, 4.2).
 * @returns undefined when it is malformed, or repeats a parameter
 */
export function parseParameters(header: string): ParameterizedHeader | undefined {
  const text = header.trim();
  const [value = ''] = matchAt(VALUE, text, 0) ?? [];
  const parameters = new Map<string, string>();
  let position = value.length;
  while (position < text.length) {
    const match = matchAt(PARAMETER, text, position);
    if (match === null) return undefined;
    const [all, name, quoted, token] = match;
    position += all.length;
    // A semicolon at the very end.
    if (name === undefined) break;
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), unescape(quoted) ?? token?.trim() ?? '');
  }
  return { value: value.trim().toLowerCase(), parameters };
}

function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

function unescape(quoted: string | undefined): string | undefined {
  return quoted?.replace(/\\(["\\])/g, '$1');
}

/** Decodes UTF-8 in a text that has one character for each byte. */
export function decodeUtf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

const EXTENDED_VALUE = /^([^']*)'[^']*'((?:%[0-9a-f]{2}|[!#$&+.^_`|~0-9a-z-])*)$/i;
const CHARSETS: ReadonlyMap<string, BufferEncoding> = new Map([
  ['utf-8', 'utf8'],
  ['iso-8859-1', 'latin1'],
]);

/**
 * Decodes the value of a parameter whose name ends in an asterisk, e.g. `UTF-8''a%20b` (RFC 8187).
 * @returns undefined when it is malformed, or in another charset than UTF-8 and ISO-8859-1
 */
export function decodeExtendedValue(text: string): string | undefined {
  const [, charset = '', escaped = ''] = EXTENDED_VALUE.exec(text) ?? [];
  const encoding = CHARSETS.get(charset.toLowerCase());
  if (encoding === undefined) return undefined;
  const bytes = escaped.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString(encoding);
}
