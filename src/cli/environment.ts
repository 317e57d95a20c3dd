import type { Config } from '../config/config.ts';
import { describeOptions, parseConfig } from '../config/config.ts';

const PREFIX = 'OTA_GATEWAY_';

/** @returns the environment variable of a setting: `dataDir` is `OTA_GATEWAY_DATA_DIR` */
export function variableName(option: string): string {
  return PREFIX + option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** @returns the flag of a setting: `dataDir` is `--data-dir` */
export function flagName(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The settings as text, by name. */
export type RawOptions = Record<string, string>;

/**
 * Collects the settings that are given as flags or as environment variables. Flags override the environment.
 * @param flags - by setting name
 * @returns by setting name; a variable with our prefix that is not a setting keeps its name, so that it is rejected
 *   later
 */
export function gatherOptions(
  environment: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, unknown>>,
): RawOptions {
  const optionOf = new Map(describeOptions().map(({ name }) => [variableName(name), name]));
  const options: RawOptions = {};
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || value === undefined || value === '') continue;
    options[optionOf.get(variable) ?? variable] = value;
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
 * @throws ConfigError that names each wrong variable
 */
export function readConfig(options: RawOptions): Config {
  return parseConfig(options, (option) =>
    option.startsWith(PREFIX) ? option : variableName(option),
  );
}
