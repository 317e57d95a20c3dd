import { businessError } from '../errors.ts';
import type { BusinessError, ParameterCode } from '../errors.ts';

/** The parameters of a call; `prefix` is put before a name, as in `MultiFiles.1.Name`. */
export interface Given {
  readonly values: ReadonlyMap<string, string>;
  readonly prefix: string;
}

/** What a value must be, and which error says that it is not. */
export interface Rule<T> {
  readonly type: 'String' | 'Integer' | 'Boolean' | 'Array';
  /** For people: completes "expected ...". */
  readonly expected: string;
  readonly code: ParameterCode;
  /** @returns undefined when the value breaks the rule */
  readonly parse: (text: string) => T | undefined;
}

/** A parameter of an operation: enough to read it, and to describe it. */
export interface Parameter<T> {
  readonly name: string;
  readonly required: boolean;
  readonly rule: Pick<Rule<unknown>, 'type' | 'expected' | 'code'>;
  /** What it is for. */
  readonly about: string;
  /** The value that stands for an absent one. */
  readonly fallback?: string | number | boolean;
  /** The parameters of each entry of an array. */
  readonly entries?: readonly Parameter<unknown>[];
  /** @throws BusinessError when the value breaks the rule */
  readonly read: (given: Given) => T;
}

/** A parameter that must be there; that it is, is tested before the operation runs. An empty value is told apart. */
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

/** A parameter that may be left out, or be empty, which is the same. */
export function optional<T>(name: string, about: string, rule: Rule<T>): Parameter<T | undefined> {
  const read = (given: Given): T | undefined => {
    const text = given.values.get(given.prefix + name) ?? '';
    return text === '' ? undefined : apply(rule, given, name, text);
  };
  return { name, required: false, rule, about, read };
}

/** A parameter with a value of its own when it is left out or empty. */
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

/** A change of something: absent leaves it as it is, empty is a value like any other. */
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

/** Refuses one parameter. @param reason - begins with a verb and has no full stop */
export function refusal(
  code: ParameterCode,
  { prefix }: Pick<Given, 'prefix'>,
  name: string,
  reason: string,
): BusinessError {
  return businessError(code, { parameter: prefix + name, reason: `${reason}.` });
}

const MAX_QUOTED = 80;

/** Quotes a caller's value, which may be of any length, in a message. */
export function quote(text: string): string {
  const characters = Array.from(text);
  const shown = characters.slice(0, MAX_QUOTED).join('');
  return JSON.stringify(characters.length > MAX_QUOTED ? `${shown}...` : shown);
}
