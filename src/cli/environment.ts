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

/** A setting's raw values: what the flags say goes before what the environment says. */
export type RawOptions = Record<string, string>;

/**
 * Gathers the settings that are given as flags or as environment variables.
 * @param flags - by setting name
 * @returns by setting name; a variable with our prefix that is no setting keeps its own name, to be refused
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
    // A switch that is named without a value.
    if (value === true) options[option] = 'on';
  }
  return options;
}

/**
 * The effective settings of a command.
 * @throws ConfigError that names each variable
 */
export function readConfig(options: RawOptions): Config {
  return parseConfig(options, (option) =>
    option.startsWith(PREFIX) ? option : variableName(option),
  );
}
