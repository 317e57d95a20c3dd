/** A text in three parts: what both have, the first character that differs, and the rest. */
export interface SplitText {
  readonly before: string;
  /** Empty where the text ends before the other one. */
  readonly marked: string;
  readonly after: string;
}

/** @param index - of the first difference, in units of UTF-16 */
export function splitText(text: string, index: number): SplitText {
  // Both halves of a character outside the basic plane belong together.
  const start = /[\uDC00-\uDFFF]/.test(text[index] ?? '') ? Math.max(index - 1, 0) : index;
  const code = text.codePointAt(start);
  const marked = code === undefined ? '' : String.fromCodePoint(code);
  return {
    before: text.slice(0, start),
    marked,
    after: text.slice(start + marked.length),
  };
}
