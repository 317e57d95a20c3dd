/** What ends a line, moves a cursor, turns the direction of text round, or cannot be seen at all. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
const NEEDS_QUOTES = /[\p{C}\p{Z}]|^"/u;

/**
 * Shows a name that a client has chosen, in one line and without anything that a terminal would obey: as it is, or as a
 * JSON string when it has spaces or characters that cannot be seen.
 */
export function quoted(name: string): string {
  return NEEDS_QUOTES.test(name) ? quotedJson(name) : name;
}

/** @returns a value as JSON in one line, with an escape for every character that cannot be seen */
export function quotedJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSEEN, (character) =>
    // A character outside the basic plane is two units of UTF-16.
    Array.from({ length: character.length }, (_, unit) => escape(character.charCodeAt(unit))).join(
      '',
    ),
  );
}

function escape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
