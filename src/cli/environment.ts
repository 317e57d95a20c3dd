import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config/config.ts';
import { describeOptions, parseConfig } from '../config/config.ts';
import { PREFIX, variableName } from './names.ts';

/** The settings as text, by name. */
export type RawOptions = Record<string, string>;

/** Environment variables; an empty one counts as absent. */
export type Environment = Readonly<Record<string, string | undefined>>;

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
  const optionOf = new Map(describeOptions().map(({ name }) => [variableName(name), name]));
  const options: RawOptions = {};
  for (const [variable, value] of Object.entries(readVariables(environment, envFile))) {
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
 * Reads the variables of the gateway.
 * @param envFile - the value of the flag `--env-file`: a file with a line `NAME=value` for each variable
 * @throws ConfigError for a file that cannot be read
 */
export function readVariables(environment: Environment, envFile: unknown): RawOptions {
  const ofFile = typeof envFile === 'string' ? parseEnv(readText(envFile, '--env-file')) : {};
  const variables: RawOptions = {};
  for (const [name, value] of [...Object.entries(ofFile), ...Object.entries(environment)]) {
    if (name.startsWith(PREFIX) && value !== undefined && value !== '') variables[name] = value;
  }
  return withSecretsOfFiles(variables);
}

const FILE = '_FILE';
const SECRET_FILE = `_SECRET${FILE}`;

/** Replaces each variable that names the file of a secret by the secret, without a line break at its end. */
function withSecretsOfFiles(variables: RawOptions): RawOptions {
  return Object.fromEntries(
    Object.entries(variables).map(([variable, value]) => {
      if (!variable.endsWith(SECRET_FILE)) return [variable, value];
      const secret = variable.slice(0, -FILE.length);
      if (secret in variables)
        throw new ConfigError([`${secret} and ${variable}: give one of them`]);
      return [secret, readText(value, variable).replace(/\r?\n$/, '')];
    }),
  );
}

function readText(path: string, giver: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = String(error).replace(/^Error: |, .*$/g, '');
    throw new ConfigError([
      `${giver}: ${path} cannot be read (${reason}): expected a text file. Check its path, owner and mode`,
    ]);
  }
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
