import { cutText, NOT_XML, xmlElement } from '../http/xml.ts';

/** Maximum length of an element's text, in bytes. A key of 1023 bytes fits, even if each of them is escaped. */
const MAX_ELEMENT_BYTES = 8 * 1024;
/** Longer limits for the elements that a developer compares with their own; together less than 64 KiB. */
const LONG_ELEMENTS: ReadonlyMap<string, number> = new Map([
  ['StringToSign', 16 * 1024],
  ['StringToSignBytes', 24 * 1024],
  ['CanonicalRequest', 16 * 1024],
]);

/**
 * Formats a key for an element. Percent-encodes what XML cannot contain, as the URL of the object has it, so that two
 * keys never look the same for that reason.
 */
export function keyText(key: string): string {
  return key.replace(NOT_XML, (character) => encodeURIComponent(character));
}

/** Returns an XML document: one element with children that contain only text. Cuts long values, see `cutText`. */
export function flatXml(root: string, elements: Readonly<Record<string, string>>): string {
  const lines = Object.entries(elements).map(([name, value]) => {
    const text = cutText(value, LONG_ELEMENTS.get(name) ?? MAX_ELEMENT_BYTES);
    return `  ${xmlElement(name, text)}\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>\n${lines.join('')}</${root}>\n`;
}
