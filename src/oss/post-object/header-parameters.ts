/** A parsed header such as `form-data; name="key"`. */
export interface ParameterizedHeader {
  /** The text before the first semicolon, in lower case. */
  readonly value: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const VALUE = /[^;]*/y;
const NAME = /[ \t]*;[ \t]*([^=;\s"]+)[ \t]*=[ \t]*/y;
const QUOTED = /"((?:\\["\\]|[^"\\]|\\(?!["\\]))*)"[ \t]*(?=;|$)/y;
const TOKEN = /[^;"]*(?=;|$)/y;
/** A quote that ends the header, or comes before another parameter. */
const LAST_QUOTE = /"[ \t]*(?=;?$|;[ \t]*[^=;\s"]+[ \t]*=)/g;
const NEXT_PARAMETER = /(?=;[ \t]*[^=;\s"]+[ \t]*=)/g;

/**
 * Parses a header with parameters (RFC 9110, 5.6.6; RFC 7578, 4.2). Only `required` must be well formed: many clients
 * write the name of a file without escaping its quotes. A value that is not well formed extends to the end of the header
 * or to the next parameter. Of a repeated parameter, the first one counts.
 *
 * @param required - lower-case name of the parameter that the caller depends on
 * @returns undefined when the required parameter is malformed or repeated
 */
export function parseParameters(header: string, required: string): ParameterizedHeader | undefined {
  const text = header.trim();
  const [value = ''] = matchAt(VALUE, text, 0) ?? [];
  const parameters = new Map<string, string>();
  let position = value.length;
  while (position < text.length) {
    const [before, spelling] = matchAt(NAME, text, position) ?? [];
    if (before === undefined || spelling === undefined) {
      const next = text.indexOf(';', position + 1);
      position = next === -1 ? text.length : next;
      continue;
    }
    const name = spelling.toLowerCase();
    const parameter = readValue(text, position + before.length);
    position = parameter.end;
    if (name === required && (!parameter.isWellFormed || parameters.has(name))) return undefined;
    if (!parameters.has(name)) parameters.set(name, parameter.value);
  }
  return { value: value.trim().toLowerCase(), parameters };
}

interface ParameterValue {
  readonly value: string;
  readonly isWellFormed: boolean;
  /** Where the next parameter begins. */
  readonly end: number;
}

function readValue(text: string, start: number): ParameterValue {
  const [quoted, content] = matchAt(QUOTED, text, start) ?? [];
  if (quoted !== undefined && content !== undefined) {
    return { value: unescape(content), isWellFormed: true, end: start + quoted.length };
  }
  const [token] = matchAt(TOKEN, text, start) ?? [];
  if (token !== undefined) {
    return { value: token.trim(), isWellFormed: true, end: start + token.length };
  }
  const isQuoted = text[start] === '"';
  const last = matchAt(isQuoted ? LAST_QUOTE : NEXT_PARAMETER, text, start + 1);
  const index = last?.index ?? text.length;
  const value = text.slice(isQuoted ? start + 1 : start, index);
  return { value, isWellFormed: false, end: index + (last?.[0].length ?? 0) };
}

/** A sticky pattern matches at the position, a global one also after it. */
function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

/** Keeps other backslashes: browsers do not escape them, and old ones send complete Windows paths. */
function unescape(quoted: string): string {
  return quoted.replaceAll('\\"', '"');
}

/** Decodes UTF-8 in a text that has one character for each byte. */
export function decodeUtf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/**
 * Decodes a `filename` as browsers write it: UTF-8, with `%22`, `%0D` and `%0A` for the three characters that would end
 * the value (HTML standard, "Multipart form data").
 */
export function decodeFilename(bytes: string): string {
  return decodeUtf8(bytes).replace(/%(?:22|0[AD])/gi, decodeURIComponent);
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
