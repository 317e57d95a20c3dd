import type { Edit, Node } from 'jsonc-parser';

/*
 * Edits of a JSON text that keep its layout: what is inserted looks like its neighbors, on one line or on several, and
 * everything else stays byte for byte. `modify` of jsonc-parser puts every inserted object on several lines.
 */

/** What can be written into a JSON text. A member that is undefined is left out. */
export type JsonValue = string | number | boolean | readonly JsonValue[] | JsonObject | undefined;
interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** The white space of an object or array. */
interface Layout {
  /** After the opening bracket. */
  readonly open: string;
  /** After a comma. */
  readonly between: string;
  /** Before the closing bracket. */
  readonly close: string;
}

/** @returns the edit that adds an element at the end of an array */
export function appendElement(text: string, array: Node, value: JsonValue): Edit {
  const style = readStyle(text, array);
  const last = array.children?.at(-1);
  const content = render(style, value, last);
  if (last === undefined) return { offset: array.offset + 1, length: 0, content };
  const { between } = layoutOf(style, array);
  return { offset: endOf(last), length: 0, content: `,${between}${content}` };
}

/** @returns the edit that gives a member of an object a value: of a new one, or of one that it has */
export function setMember(text: string, object: Node, name: string, value: JsonValue): Edit {
  const style = readStyle(text, object);
  const found = findMember(object, name);
  const old = valueOf(found);
  const content = render(style, value, old);
  if (old !== undefined) return { offset: old.offset, length: old.length, content };
  const member = `${JSON.stringify(name)}${style.colon}${content}`;
  const last = object.children?.at(-1);
  if (last === undefined) return { offset: object.offset + 1, length: 0, content: member };
  const { between } = layoutOf(style, object);
  return { offset: endOf(last), length: 0, content: `,${between}${member}` };
}

/** @returns the edit that removes a member of an object; none when it has no such member */
export function removeMember(object: Node, name: string): Edit[] {
  const found = findMember(object, name);
  return found === undefined ? [] : [removeChild(object, found)];
}

/** @returns the edit that removes an element of an array, or a member of an object, with its comma */
export function removeChild(parent: Node, child: Node): Edit {
  const children = parent.children ?? [];
  const index = children.indexOf(child);
  const before = children[index - 1];
  const after = children[index + 1];
  if (before !== undefined) return cut(endOf(before), endOf(child));
  if (after !== undefined) return cut(child.offset, after.offset);
  return cut(parent.offset + 1, endOf(parent) - 1);
}

function cut(from: number, to: number): Edit {
  return { offset: from, length: to - from, content: '' };
}

/** The text, and what it has between the name and the value of a member. */
interface Style {
  readonly text: string;
  readonly colon: string;
}

function readStyle(text: string, node: Node): Style {
  let top = node;
  while (top.parent !== undefined) top = top.parent;
  const [name, value] = top.children?.[0]?.children ?? [];
  const colon = name && value ? text.slice(endOf(name), value.offset) : ': ';
  return { text, colon };
}

function layoutOf({ colon, text }: Style, node: Node): Layout {
  const children = node.children ?? [];
  const [first, second] = children;
  const last = children.at(-1);
  const isCompact = colon === ':';
  if (first === undefined || last === undefined) {
    const pad = node.type === 'object' && !isCompact ? ' ' : '';
    return { open: pad, between: isCompact ? '' : ' ', close: pad };
  }
  const open = text.slice(node.offset + 1, first.offset);
  const close = text.slice(endOf(last), endOf(node) - 1);
  if (second === undefined) {
    const between = open.includes('\n') ? open : isCompact ? '' : ' ';
    return { open, between, close };
  }
  const gap = text.slice(endOf(first), second.offset);
  return { open, between: gap.slice(gap.indexOf(',') + 1), close };
}

/** An object and an array that have no neighbor to look like. */
const NO_NEIGHBOR = { object: bare('object'), array: bare('array') } as const;

function bare(type: 'object' | 'array'): Node {
  return { type, offset: 0, length: 2, children: [] };
}

/** @param neighbor - what the value shall look like */
function render(style: Style, value: JsonValue, neighbor: Node | undefined): string {
  if (typeof value !== 'object') return JSON.stringify(value);
  const kind = isArray(value) ? 'array' : 'object';
  const like = neighbor?.type === kind ? neighbor : NO_NEIGHBOR[kind];
  const items = isArray(value)
    ? value.map((each) => render(style, each, like.children?.at(-1)))
    : Object.entries(value).flatMap(([name, each]) => {
        if (each === undefined) return [];
        const content = render(style, each, valueOf(findMember(like, name)));
        return [`${JSON.stringify(name)}${style.colon}${content}`];
      });
  const [left, right] = isArray(value) ? ['[', ']'] : ['{', '}'];
  if (items.length === 0) return `${left}${right}`;
  const { between, close, open } = layoutOf(style, like);
  return `${left}${open}${items.join(`,${between}`)}${close}${right}`;
}

function isArray(value: JsonObject | readonly JsonValue[]): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** @returns the node of a member: its name and its value */
function findMember(object: Node, name: string): Node | undefined {
  return object.children?.find((member) => member.children?.[0]?.value === name);
}

function valueOf(member: Node | undefined): Node | undefined {
  return member?.children?.[1];
}

function endOf({ length, offset }: Node): number {
  return offset + length;
}
