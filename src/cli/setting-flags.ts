import { Option } from 'commander';
import type { Command } from 'commander';
import type { z } from 'zod';
import type { Config } from '../config/config.ts';
import { describeOptions } from '../config/config.ts';
import { UsageError } from './command-error.ts';
import { flagName, variableName } from './names.ts';

/** The flag that each command has. */
export const ENV_FILE = [
  '--env-file <path>',
  'a file with environment variables, which those of the environment override',
] as const;

/**
 * Adds every setting as a flag; each is also an environment variable.
 * @param shown - the settings that the help lists; absent: all
 */
export function withSettings(command: Command, shown?: readonly (keyof Config)[]): Command {
  command.option(...ENV_FILE);
  for (const { group, name, description, default: value, isSwitch } of describeOptions()) {
    const preset = value === undefined ? '' : `; default ${value}`;
    const argument = isSwitch ? '[on|off]' : '<value>';
    const help = `${description} (${variableName(name)}${preset})`;
    const option = new Option(`${flagName(name)} ${argument}`, help);
    const isShown = shown === undefined || shown.some((each) => each === name);
    command.addOption(option.helpGroup(`${group}:`).hideHelp(!isShown));
  }
  return command;
}

/** Parses flags that are not settings. @throws UsageError that says what is wrong with which */
export function parseFlags<Flags>(schema: z.ZodType<Flags>, flags: unknown): Flags {
  const parsed = schema.safeParse(flags);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ message, path }) =>
      `${flagName(String(path[0]))}: ${message}${foundIn(flags, path, message)}`,
  );
  throw new UsageError([...new Set(problems)].join('\n'));
}

/** @returns what was given, unless the message says it */
function foundIn(flags: unknown, path: readonly PropertyKey[], message: string): string {
  if (message.includes('found ') || typeof flags !== 'object' || flags === null) return '';
  const given = new Map<PropertyKey, unknown>(Object.entries(flags)).get(path[0] ?? '');
  const value: unknown = Array.isArray(given) ? given[Number(path[1])] : given;
  return value === undefined ? '' : `, found ${JSON.stringify(value)}`;
}
