import type { Config } from '../config/config.ts';
import { parseConfig } from '../config/config.ts';
import { SETTING_TABLE } from '../config/setting-table.ts';
import { PREFIX, givenName, variableName } from './names.ts';
import { ENDPOINT_VARIABLE, readVariables } from './variables.ts';
import type { Environment } from './variables.ts';

/** The settings as text, by name. */
export type RawOptions = Record<string, string>;

/**
 * Collects the settings that are given as flags, as environment variables, or in the file of the flag `--env-file`. The
 * first of these that has a setting wins.
 * @param flags - by setting name
 * @returns by setting name; a variable with our prefix that is not a setting keeps its name, so that it is rejected
 *   later
 * @throws ConfigError for a file that cannot be read
 */
export function gatherOptions(
  environment: Environment,
  { envFile, ...flags }: Readonly<Record<string, unknown>>,
): RawOptions {
  const optionOf = new Map(SETTING_TABLE.map(({ name }) => [variableName(name), name]));
  const options: RawOptions = {};
  for (const [variable, value] of Object.entries(readVariables(environment, envFile))) {
    if (variable !== ENDPOINT_VARIABLE) options[optionOf.get(variable) ?? variable] = value;
  }
  for (const [option, value] of Object.entries(flags)) {
    if (typeof value === 'string') options[option] = value;
    // A switch without a value.
    if (value === true) options[option] = 'on';
  }
  return options;
}

/**
 * Reads the effective settings of a command.
 * @throws ConfigError that names each wrong flag and variable
 */
export function readConfig(options: RawOptions): Config {
  return parseConfig(options, (option) => (option.startsWith(PREFIX) ? option : givenName(option)));
}
