import { unescapeDollars } from './conditions.ts';
import type { Condition } from './conditions.ts';
import type { JsonValue } from './json.ts';
import { policyError } from './policy-problems.ts';

/**
 * Reads the `conditions` of a policy (OSS PostObject reference, "Appendix: Policy").
 *
 * The `$` of a field name may be missing: the pages of OSS's error codes 0006-00000226 and -227 omit it (unverified for
 * the other forms).
 *
 * @throws PolicySyntaxError
 */
export function readConditions(value: JsonValue): Condition[] {
  if (!isArray(value)) throw policyError('conditionsNotAnArray');
  if (value.length === 0) throw policyError('conditionsEmpty');
  return value.map(readCondition);
}

function readCondition(value: JsonValue): Condition {
  if (value instanceof Map) return readSimpleCondition(value);
  if (isArray(value)) return readArrayCondition(value);
  throw policyError('conditionType');
}

function readSimpleCondition(members: ReadonlyMap<string, JsonValue>): Condition {
  const [member, ...others] = members;
  if (member === undefined || others.length > 0) throw policyError('severalProperties');
  const [name, value] = member;
  if (typeof value !== 'string') {
    throw policyError('valueNotText', { kind: 'Simple-Condition' });
  }
  return { kind: 'eq', field: readField(name, 'Simple-Condition'), value };
}

const MODES = ['eq', 'starts-with', 'in', 'not-in', 'content-length-range'] as const;
type Mode = (typeof MODES)[number];

function readArrayCondition(items: readonly JsonValue[]): Condition {
  const [name, first, second] = items;
  const mode = MODES.find((known) => known === name);
  if (mode === undefined) {
    throw policyError('unknownMode', { modes: MODES.join(', '), found: shown(name) });
  }
  if (first === undefined || second === undefined || items.length > 3) {
    throw policyError('itemCount', { kind: mode, count: String(items.length) });
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
    if (typeof value !== 'string') throw policyError('valueNotText', { kind });
    return { kind, field: readField(field, kind), value };
  };
}

function readList(kind: 'in' | 'not-in'): Reader {
  return (field, values) => {
    if (!isArray(values) || !values.every(isString)) {
      throw policyError('valueNotAList', { kind });
    }
    return { kind, field: readField(field, kind), values };
  };
}

/**
 * Reads a bound of a `content-length-range`. The pages say "positive integers", but OSS's own samples use 0, so 0 is
 * allowed.
 * @param item - its name in the pages
 */
function readBound(value: JsonValue, item: 'min-len' | 'max-len'): number {
  if (typeof value !== 'number' && typeof value !== 'string') {
    throw policyError('lengthType', { item });
  }
  if (typeof value === 'string' || !Number.isSafeInteger(value) || value < 0) {
    const problem = item === 'min-len' ? 'minLength' : 'maxLength';
    throw policyError(problem, { maximum: String(Number.MAX_SAFE_INTEGER) });
  }
  return value;
}

function readRange(first: JsonValue, second: JsonValue): Condition {
  const min = readBound(first, 'min-len');
  const max = readBound(second, 'max-len');
  if (max < min) throw policyError('rangeReversed');
  return { kind: 'content-length-range', min, max };
}

function readField(value: JsonValue, kind: string): string {
  if (!isString(value)) throw policyError('fieldNotText', { kind });
  const field = unescapeDollars(value).replace(/^\$/, '').toLowerCase();
  if (field === '') throw policyError('fieldEmpty', { kind });
  return field;
}

const MAX_SHOWN = 80;

/** @returns a value of a policy as a message shows it */
export function shown(value: JsonValue | undefined): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}...` : value);
  }
  if (value === undefined) return 'nothing';
  return typeof value === 'object' && value !== null ? 'no string' : String(value);
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isString(value: JsonValue): value is string {
  return typeof value === 'string';
}
