/** Characters that end a line, move the cursor, change the direction of text, or are invisible. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
const NEEDS_QUOTES = /[\p{C}\p{Z}]|^"/u;

/**
 * Formats a name that a client has chosen for one line of a terminal. Returns the name unchanged, or as a JSON string
 * when it begins with `"`, or has spaces, control characters or invisible characters.
 */
export function quoted(name: string): string {
  return NEEDS_QUOTES.test(name) ? quotedJson(name) : name;
}

/** @returns a sentence in one line, with every invisible character escaped */
export function visible(text: string): string {
  return text.replace(UNSEEN, escapeAll);
}

/** @returns a value as JSON in one line, with every invisible character escaped */
export function quotedJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSEEN, escapeAll);
}

/** A character outside the basic plane is two units of UTF-16. */
function escapeAll(character: string): string {
  return Array.from({ length: character.length }, (_, unit) =>
    escape(character.charCodeAt(unit)),
  ).join('');
}

function escape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
