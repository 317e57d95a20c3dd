import { businessError } from '../errors.ts';
import type { BusinessError, ParameterCode } from '../errors.ts';

/** The parameters of a call; `prefix` is put before a name, as in `MultiFiles.1.Name`. */
export interface Given {
  readonly values: ReadonlyMap<string, string>;
  readonly prefix: string;
}

/** What a value must be, and the error code for other values. */
export interface Rule<T> {
  readonly type: 'String' | 'Integer' | 'Boolean' | 'Array';
  /** For people: completes "expected ...". */
  readonly expected: string;
  readonly code: ParameterCode;
  /** @returns undefined when the value breaks the rule */
  readonly parse: (text: string) => T | undefined;
}

/** A parameter of an operation: how to read it, and how to describe it. */
export interface Parameter<T> {
  readonly name: string;
  readonly required: boolean;
  readonly rule: Pick<Rule<unknown>, 'type' | 'expected' | 'code'>;
  /** Its purpose. */
  readonly about: string;
  /** The value when it is absent. */
  readonly fallback?: string | number | boolean;
  /** The parameters of each entry of an array. */
  readonly entries?: readonly Parameter<unknown>[];
  /** @throws BusinessError when the value breaks the rule */
  readonly read: (given: Given) => T;
}

/**
 * Makes a required parameter. `admit` checks that it is present before the operation runs; this rejects an empty value.
 * @param emptyCode - the error code for an empty value
 */
export function required<T>(
  name: string,
  about: string,
  rule: Rule<T>,
  emptyCode: ParameterCode = rule.code,
): Parameter<T> {
  const read = (given: Given): T => {
    const text = given.values.get(given.prefix + name) ?? '';
    if (text === '') throw refusal(emptyCode, given, name, `must be ${rule.expected}`);
    return apply(rule, given, name, text);
  };
  return { name, required: true, rule, about, read };
}

/** Makes an optional parameter. An empty value counts as absent. */
export function optional<T>(name: string, about: string, rule: Rule<T>): Parameter<T | undefined> {
  const read = (given: Given): T | undefined => {
    const text = given.values.get(given.prefix + name) ?? '';
    return text === '' ? undefined : apply(rule, given, name, text);
  };
  return { name, required: false, rule, about, read };
}

/** Makes an optional parameter that has a default value when it is absent or empty. */
export function defaulted<T extends string | number | boolean>(
  name: string,
  about: string,
  rule: Rule<T>,
  fallback: T,
): Parameter<T> {
  const { read } = optional(name, about, rule);
  return {
    name,
    required: false,
    rule,
    about,
    fallback,
    read: (given) => read(given) ?? fallback,
  };
}

/** Makes a parameter that changes a value: when absent nothing changes; an empty value is a new value. */
export function change<T>(name: string, about: string, rule: Rule<T>): Parameter<T | undefined> {
  const read = (given: Given): T | undefined => {
    const text = given.values.get(given.prefix + name);
    return text === undefined ? undefined : apply(rule, given, name, text);
  };
  return { name, required: false, rule, about, read };
}

function apply<T>(rule: Rule<T>, given: Given, name: string, text: string): T {
  const value = rule.parse(text);
  if (value !== undefined) return value;
  throw refusal(rule.code, given, name, `must be ${rule.expected}, but is ${quote(text)}`);
}

/** Makes the error for one parameter. @param reason - begins with a verb and has no full stop */
export function refusal(
  code: ParameterCode,
  { prefix }: Pick<Given, 'prefix'>,
  name: string,
  reason: string,
): BusinessError {
  return businessError(code, { parameter: prefix + name, reason: `${reason}.` });
}

const MAX_QUOTED = 80;

/** Quotes a value of a caller for a message. Cuts a long one. */
export function quote(text: string): string {
  const characters = Array.from(text);
  const shown = characters.slice(0, MAX_QUOTED).join('');
  return JSON.stringify(characters.length > MAX_QUOTED ? `${shown}...` : shown);
}
