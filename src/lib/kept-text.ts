/**
 * Cuts a text to keep it. Copies it, because a part of a text of V8 keeps the whole text, for example a request body,
 * in memory.
 * @param limit - characters (UTF-16 units)
 */
export function keptText(text: string, limit: number): string {
  const kept = Buffer.from(text.slice(0, limit)).toString();
  return text.length > limit ? `${kept}...` : kept;
}

/** As {@link keptText}, but copies no text that is not cut. @param limit - characters (UTF-16 units) */
export function keptIfLong(text: string, limit: number): string {
  return text.length > limit ? keptText(text, limit) : text;
}
