/**
 * The content of an element: text, elements by name, or a list, whose entries become elements with the name of the
 * list.
 */
export type XmlValue =
  string | number | boolean | readonly XmlValue[] | { readonly [name: string]: XmlValue };

/** Characters outside the Char production of XML 1.0. With the `u` flag the surrogate range matches lone ones only. */
export const NOT_XML = /[\u{0}-\u{8}\u{b}\u{c}\u{e}-\u{1f}\u{d800}-\u{dfff}\u{fffe}\u{ffff}]/gu;
const REFERENCES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
  // An XML parser would read it as a line feed.
  ['\r', '&#13;'],
]);

/**
 * Cuts a text that a client may have chosen, so that a response cannot be much larger than its request. The work
 * depends only on the limit, not on the length of the text.
 * @param bytes - the limit for the written text
 * @param write - writes the text; every character takes at least one byte
 * @returns the text, or its beginning and a mark of up to 50 bytes more
 */
export function cutText(
  text: string,
  bytes: number,
  write: (text: string) => string = escapeXml,
): string {
  let cut = text.slice(0, bytes);
  for (;;) {
    const size = Buffer.byteLength(write(cut));
    if (size <= bytes) break;
    cut = cut.slice(0, Math.floor((cut.length * bytes) / size));
  }
  return cut.length === text.length ? text : `${cut}... [cut, ${text.length} characters in all]`;
}

/** Escapes a text for XML. Characters that XML cannot contain become U+FFFD. */
function escapeXml(text: string): string {
  return replaceInvalid(text).replace(
    /[&<>"'\r]/g,
    (character) => REFERENCES.get(character) ?? character,
  );
}

function replaceInvalid(text: string): string {
  return text.replace(NOT_XML, '\ufffd');
}

/**
 * Writes an element. Characters that XML cannot contain become U+FFFD.
 * @param cdata - names of elements whose text is written as a CDATA section when it would need escaping
 */
export function xmlElement(
  name: string,
  value: XmlValue,
  cdata: ReadonlySet<string> = new Set(),
): string {
  if (isList(value)) return value.map((entry) => xmlElement(name, entry, cdata)).join('');
  return `<${name}>${content(name, value, cdata)}</${name}>`;
}

function content(
  name: string,
  value: Exclude<XmlValue, readonly XmlValue[]>,
  cdata: ReadonlySet<string>,
): string {
  if (typeof value === 'object') {
    return Object.entries(value)
      .map(([field, inner]) => xmlElement(field, inner, cdata))
      .join('');
  }
  const text = replaceInvalid(String(value));
  const escaped = escapeXml(text);
  if (!cdata.has(name) || escaped === text || text.includes(']]>')) return escaped;
  return `<![CDATA[${text}]]>`;
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value);
}
