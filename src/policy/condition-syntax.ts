import { unescapeDollars } from './conditions.ts';
import type { Condition } from './conditions.ts';
import type { JsonValue } from './json.ts';

/** Thrown at the first syntax error of a policy. `parsePolicy` catches it, so it does not leave this folder. */
export class PolicySyntaxError extends Error {
  /** OSS's fine-grained error code. */
  readonly ec: string;

  /**
   * @param number - the last three digits of the error code; the first ones are always `0006-00000`
   * @param message - without the leading `Invalid Policy: `
   */
  constructor(number: string, message: string) {
    super(message);
    this.ec = `0006-00000${number}`;
  }
}

/**
 * Reads the `conditions` of a policy (OSS PostObject reference, "Appendix: Policy").
 *
 * The `$` of a field name may be missing: the pages of OSS's error codes 0006-00000226 and -227 omit it (unverified for
 * the other forms).
 *
 * @throws PolicySyntaxError
 */
export function readConditions(value: JsonValue): Condition[] {
  if (!isArray(value))
    throw new PolicySyntaxError('214', 'Invalid conditions: conditions must be an array.');
  if (value.length === 0) {
    throw new PolicySyntaxError(
      '215',
      'Invalid conditions: conditions must have at least one condition.',
    );
  }
  return value.map(readCondition);
}

function readCondition(value: JsonValue): Condition {
  if (value instanceof Map) return readSimpleCondition(value);
  if (isArray(value)) return readArrayCondition(value);
  throw new PolicySyntaxError(
    '222',
    'Invalid Condition: each condition must be an object or an array.',
  );
}

/** The text is copied from OSS ("PostObject errors and troubleshooting"); its number 217 is unverified. */
function readSimpleCondition(members: ReadonlyMap<string, JsonValue>): Condition {
  const [member, ...others] = members;
  if (member === undefined || others.length > 0) {
    throw new PolicySyntaxError(
      '217',
      'Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.',
    );
  }
  const [name, value] = member;
  if (typeof value !== 'string') {
    throw new PolicySyntaxError('224', 'Invalid Simple-Condition: the value must be a string.');
  }
  return { kind: 'eq', field: readField(name, 'Simple-Condition'), value };
}

const MODES = ['eq', 'starts-with', 'in', 'not-in', 'content-length-range'] as const;
type Mode = (typeof MODES)[number];

function readArrayCondition(items: readonly JsonValue[]): Condition {
  const [name, first, second] = items;
  const mode = MODES.find((known) => known === name);
  if (mode === undefined) {
    throw new PolicySyntaxError(
      '216',
      `Invalid Condition: a condition must start with a matching mode, one of ${MODES.join(', ')}.`,
    );
  }
  if (first === undefined || second === undefined || items.length > 3) {
    throw new PolicySyntaxError(
      '218',
      `Invalid ${mode}: exactly 3 items expected, but found ${items.length}.`,
    );
  }
  return READERS[mode](first, second);
}

type Reader = (first: JsonValue, second: JsonValue) => Condition;

const READERS: Readonly<Record<Mode, Reader>> = {
  eq: readText('eq'),
  'starts-with': readText('starts-with'),
  in: readList('in'),
  'not-in': readList('not-in'),
  'content-length-range': readRange,
};

function readText(kind: 'eq' | 'starts-with'): Reader {
  return (field, value) => {
    if (typeof value !== 'string')
      throw new PolicySyntaxError('224', `Invalid ${kind}: the value must be a string.`);
    return { kind, field: readField(field, kind), value };
  };
}

function readList(kind: 'in' | 'not-in'): Reader {
  return (field, values) => {
    if (!isArray(values) || !values.every(isString)) {
      throw new PolicySyntaxError('224', `Invalid ${kind}: the value must be an array of strings.`);
    }
    return { kind, field: readField(field, kind), values };
  };
}

/**
 * Reads a bound of a `content-length-range`. The pages say "positive integers", but OSS's own samples use 0, so 0 is
 * allowed.
 * @param item - its name in the pages, `min-len` or `max-len`
 * @param ec - the last three digits of the error code for a wrong value of this item
 */
function readBound(value: JsonValue, item: string, ec: string): number {
  if (typeof value !== 'number' && typeof value !== 'string') {
    throw new PolicySyntaxError('223', `Invalid content-length-range: ${item} must be an integer.`);
  }
  if (typeof value === 'string' || !Number.isSafeInteger(value) || value < 0) {
    const expected = `an integer from 0 to ${Number.MAX_SAFE_INTEGER}`;
    throw new PolicySyntaxError(ec, `Invalid content-length-range: ${item} must be ${expected}.`);
  }
  return value;
}

function readRange(first: JsonValue, second: JsonValue): Condition {
  const min = readBound(first, 'min-len', '220');
  const max = readBound(second, 'max-len', '221');
  if (max < min) {
    throw new PolicySyntaxError(
      '219',
      'Invalid content-length-range: max-len must be greater than or equal to min-len.',
    );
  }
  return { kind: 'content-length-range', min, max };
}

function readField(value: JsonValue, kind: string): string {
  if (!isString(value))
    throw new PolicySyntaxError('224', `Invalid ${kind}: the field name must be a string.`);
  const field = unescapeDollars(value).replace(/^\$/, '').toLowerCase();
  if (field === '')
    throw new PolicySyntaxError('218', `Invalid ${kind}: the field name must not be empty.`);
  return field;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isString(value: JsonValue): value is string {
  return typeof value === 'string';
}
