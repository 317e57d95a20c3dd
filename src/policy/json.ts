/** A parsed JSON value. Objects are maps, so that a member may have any name. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | ReadonlyMap<string, JsonValue>;

/** `error` describes the first syntax error, in the words of OSS's "Invalid JSON" messages. */
export type ParsedJson =
  { readonly kind: 'value'; readonly value: JsonValue } | { readonly kind: 'error'; error: string };

/** An array or object whose closing bracket was not read yet. */
type OpenContainer =
  | { readonly close: ']'; readonly items: JsonValue[] }
  | { readonly close: '}'; readonly members: Map<string, JsonValue>; name: string };

interface Cursor {
  readonly text: string;
  at: number;
}

class JsonSyntaxError extends Error {}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERALS: ReadonlyMap<string, readonly [text: string, value: boolean | null]> = new Map([
  ['t', ['true', true]],
  ['f', ['false', false]],
  ['n', ['null', null]],
]);
const MAX_QUOTED_NAME_LENGTH = 64;

/**
 * Parses JSON text (RFC 8259), and refuses objects that have two members of the same name, which `JSON.parse` would
 * merge. It keeps its own stack, so that only the memory limits the depth. The time is linear in the length of the
 * text.
 *
 * The messages `unknown char x` and `, or ] expected` are copied from OSS (OSS "PostObject errors and
 * troubleshooting"); the other messages are ours, in the same style.
 */
export function parseJson(text: string): ParsedJson {
  const cursor: Cursor = { text, at: 0 };
  try {
    const value = readDocument(cursor);
    return { kind: 'value', value };
  } catch (error) {
    if (error instanceof JsonSyntaxError) return { kind: 'error', error: error.message };
    throw error;
  }
}

function readDocument(cursor: Cursor): JsonValue {
  const open: OpenContainer[] = [];
  for (;;) {
    let value = readValueOrOpen(cursor, open);
    // A complete value may complete its container, which then is a complete value, too.
    while (value !== undefined) {
      const container = open.at(-1);
      if (container === undefined) return endDocument(cursor, value);
      addTo(container, value);
      value = afterItem(cursor, container) ? close(open) : undefined;
    }
  }
}

/** @returns a complete value; undefined when a container was opened and its first value comes next */
function readValueOrOpen(cursor: Cursor, open: OpenContainer[]): JsonValue | undefined {
  const char = nextChar(cursor, 'a value');
  if (char === '[') {
    cursor.at += 1;
    open.push({ close: ']', items: [] });
    return takeIf(cursor, ']') ? close(open) : undefined;
  }
  if (char === '{') {
    cursor.at += 1;
    const container: OpenContainer = { close: '}', members: new Map(), name: '' };
    open.push(container);
    if (takeIf(cursor, '}')) return close(open);
    container.name = readName(cursor, container.members);
    return undefined;
  }
  return readScalar(cursor, char);
}

function readScalar(cursor: Cursor, char: string): JsonValue {
  if (char === '"') return readString(cursor);
  const literal = LITERALS.get(char);
  if (literal !== undefined && cursor.text.startsWith(literal[0], cursor.at)) {
    cursor.at += literal[0].length;
    return literal[1];
  }
  NUMBER.lastIndex = cursor.at;
  const digits = NUMBER.exec(cursor.text)?.[0];
  if (digits === undefined) throw new JsonSyntaxError(`unknown char ${printable(char)}`);
  cursor.at += digits.length;
  return Number(digits);
}

/** Escapes control characters and the like, because the message is sent as XML, which cannot contain them. */
function printable(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return /\p{C}/u.test(char) ? `\\u${code.toString(16).padStart(4, '0')}` : char;
}

function addTo(container: OpenContainer, value: JsonValue): void {
  if (container.close === ']') container.items.push(value);
  else container.members.set(container.name, value);
}

/** Reads what may follow an item. @returns whether it was the closing bracket of the container */
function afterItem(cursor: Cursor, container: OpenContainer): boolean {
  if (takeIf(cursor, container.close)) return true;
  if (!takeIf(cursor, ',')) throw new JsonSyntaxError(`, or ${container.close} expected`);
  if (container.close === '}') container.name = readName(cursor, container.members);
  return false;
}

function close(open: OpenContainer[]): JsonValue | undefined {
  const container = open.pop();
  return container?.close === ']' ? container.items : container?.members;
}

function readName(cursor: Cursor, taken: ReadonlyMap<string, JsonValue>): string {
  if (nextChar(cursor, 'a member name') !== '"')
    throw new JsonSyntaxError('a member name in " expected');
  const name = readString(cursor);
  if (taken.has(name)) {
    const quoted = JSON.stringify(name.slice(0, MAX_QUOTED_NAME_LENGTH));
    throw new JsonSyntaxError(`duplicate key ${quoted}, each key may be given once`);
  }
  if (!takeIf(cursor, ':')) throw new JsonSyntaxError(': expected');
  return name;
}

function readString(cursor: Cursor): string {
  const { text, at: start } = cursor;
  let end = start + 1;
  let hasEscapes = false;
  for (; ; end += 1) {
    const code = text.charCodeAt(end);
    if (code === 0x22) break;
    if (Number.isNaN(code)) throw new JsonSyntaxError('closing " expected');
    if (code < 0x20) throw new JsonSyntaxError('control character in a string');
    if (code !== 0x5c) continue;
    hasEscapes = true;
    // An escaped character never ends the string.
    end += 1;
  }
  cursor.at = end + 1;
  return hasEscapes ? unescape(text.slice(start, end + 1)) : text.slice(start + 1, end);
}

function unescape(quoted: string): string {
  try {
    const value: unknown = JSON.parse(quoted);
    if (typeof value === 'string') return value;
  } catch {
    // Falls through: only an escape can be invalid here.
  }
  throw new JsonSyntaxError('unknown escape in a string');
}

function endDocument(cursor: Cursor, value: JsonValue): JsonValue {
  skipSpace(cursor);
  if (cursor.at < cursor.text.length) throw new JsonSyntaxError('end of text expected');
  return value;
}

function nextChar(cursor: Cursor, expected: string): string {
  skipSpace(cursor);
  const char = cursor.text.codePointAt(cursor.at);
  if (char === undefined) throw new JsonSyntaxError(`unexpected end of text, ${expected} expected`);
  return String.fromCodePoint(char);
}

function takeIf(cursor: Cursor, char: string): boolean {
  skipSpace(cursor);
  const isNext = cursor.text.charAt(cursor.at) === char;
  if (isNext) cursor.at += 1;
  return isNext;
}

function skipSpace(cursor: Cursor): void {
  for (; ; cursor.at += 1) {
    const code = cursor.text.charCodeAt(cursor.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
  }
}
