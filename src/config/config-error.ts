import type { z } from 'zod';

const BRAND = Symbol.for('ota-upload-gateway.ConfigError');

/** All that is wrong with a configuration, one problem a line. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** An error of another copy of this module is one, too: test runners that reset modules load the kit again. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== ConfigError) return super[Symbol.hasInstance](value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}

const TYPES: Readonly<Partial<Record<string, string>>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'text',
};

/** Texts for what a schema rejects without a text of its own: what was expected. For the option `error` of a parse. */
export const plainTexts: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_value':
      return `expected ${alternatives(issue.values.map(String))}`;
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? issue.expected}`;
    case 'too_small':
      return `expected at least ${String(issue.minimum)}`;
    case 'too_big':
      return `expected at most ${String(issue.maximum)}`;
    case 'unrecognized_keys':
      return `there is no ${alternatives(issue.keys)}`;
    default:
      return undefined;
  }
};

/** @returns words with commas between, and "or" before the last one */
function alternatives(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

const SHOWN = 80;

/** Adds what was found to a text that says what was expected, unless the text has it. */
export function withFound(message: string, value: unknown): string {
  if (value === undefined || message.includes('found ')) return message;
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return `${message}, found ${text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text}`;
}
