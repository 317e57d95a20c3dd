/** Whether a text has the character U+0000. It is refused where a text comes in, because PostgreSQL cannot store it. */
export function hasNul(text: string): boolean {
  return text.includes('\0');
}

/** Replaces each U+0000, to keep or to show a text that was refused because of it. */
export function withoutNul(text: string): string {
  return text.replaceAll('\0', '\u{fffd}');
}
