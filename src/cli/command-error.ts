import { ConfigError } from '../config/config-error.ts';
import { SettingsError } from '../config/settings-error.ts';
import { givenName } from './names.ts';
import { systemFailureOf } from '../lib/system-failure.ts';

/** What is wrong, for people and for programs. */
export interface ErrorDescription {
  /** For programs; stays the same between versions. */
  readonly code: string;
  readonly message: string;
  /** What to do. */
  readonly hint?: string;
}

/** An error of a command that says what was wrong and what to do. */
export class CommandError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  /**
   * @param code - for programs
   * @param message - what was wrong and what was expected, without a full stop
   * @param hint - what to do
   */
  constructor(code: string, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CommandError';
    this.code = code;
    this.hint = hint;
  }
}

/** Wrong arguments, which are known before anything was done. The command ends with exit code 2. */
export class UsageError extends CommandError {
  /**
   * @param message - which argument is wrong, and what was expected, without a full stop
   * @param hint - what to do; absent: to look at the help of the command
   */
  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super('InvalidArguments', message, hint, options);
    this.name = 'UsageError';
  }
}

/** @returns the code, message and hint of anything that a command has thrown */
export function describeError(error: unknown): ErrorDescription {
  if (error instanceof SettingsError) {
    return { code: 'InvalidSettings', message: error.named(givenName).message };
  }
  if (error instanceof ConfigError) return { code: 'InvalidSettings', message: error.message };
  if (!(error instanceof Error)) return { code: 'Failed', message: String(error) };
  const failure = systemFailureOf(error);
  if (failure !== undefined) {
    return { code: failure.code, message: failure.problem, hint: failure.hint };
  }
  const { message } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'Failed';
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined;
  return hint === undefined ? { code, message } : { code, message, hint };
}

/** @returns the text of an error for people */
export function errorText({ hint, message }: ErrorDescription): string {
  return hint === undefined ? message : `${message}. ${hint}`;
}
