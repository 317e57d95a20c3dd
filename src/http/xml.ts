/** What an element may hold: text, elements by name, or a list, whose entries are elements of the list's name. */
export type XmlValue =
  string | number | boolean | readonly XmlValue[] | { readonly [name: string]: XmlValue };

/** Outside the Char production of XML 1.0; with the `u` flag the surrogate range matches lone ones only. */
const NOT_XML = /[\u{0}-\u{8}\u{b}\u{c}\u{e}-\u{1f}\u{d800}-\u{dfff}\u{fffe}\u{ffff}]/gu;
const REFERENCES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
  // A parser would turn it into a line feed.
  ['\r', '&#13;'],
]);

/**
 * Cuts a text that a client may have chosen, so that an answer cannot grow far beyond its request. However long the
 * text is, the work depends on the limit alone.
 * @param bytes - what the text may take once it is written
 * @param write - how it is written; every character takes at least one byte
 * @returns the text, or its beginning and a mark, which takes up to 50 bytes more
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

/** Escapes a text for XML. What XML cannot carry becomes U+FFFD. */
function escapeXml(text: string): string {
  return carriable(text).replace(
    /[&<>"'\r]/g,
    (character) => REFERENCES.get(character) ?? character,
  );
}

function carriable(text: string): string {
  return text.replace(NOT_XML, '\ufffd');
}

/**
 * Writes an element. What XML cannot carry becomes U+FFFD.
 * @param cdata - names of elements whose text goes into a CDATA section where it would need escaping
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
  const text = carriable(String(value));
  const escaped = escapeXml(text);
  if (!cdata.has(name) || escaped === text || text.includes(']]>')) return escaped;
  return `<![CDATA[${text}]]>`;
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value);
}
