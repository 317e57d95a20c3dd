import { cutText, xmlElement } from '../http/xml.ts';

/** Longest text of an element, in bytes. A key of 1023 bytes fits, whatever its characters are. */
const MAX_ELEMENT_BYTES = 8 * 1024;
/** Elements that a person compares with a string of their own. Together they stay below 64 KiB. */
const LONG_ELEMENTS: ReadonlyMap<string, number> = new Map([
  ['StringToSign', 16 * 1024],
  ['StringToSignBytes', 24 * 1024],
  ['CanonicalRequest', 16 * 1024],
]);

/** Writes an XML document of one element with flat children. Values that are too long are cut, see `cutText`. */
export function flatXml(root: string, elements: Readonly<Record<string, string>>): string {
  const lines = Object.entries(elements).map(([name, value]) => {
    const text = cutText(value, LONG_ELEMENTS.get(name) ?? MAX_ELEMENT_BYTES);
    return `  ${xmlElement(name, text)}\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>\n${lines.join('')}</${root}>\n`;
}
