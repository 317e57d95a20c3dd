import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from '../config/config-error.ts';
import { PREFIX } from './names.ts';

/** Environment variables; an empty one counts as absent. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The address of the gateway for commands. It is not a setting of the gateway. */
export const ENDPOINT_VARIABLE = `${PREFIX}ENDPOINT`;

/**
 * Reads the variables of the gateway and of its commands.
 * @param envFile - the value of the flag `--env-file`: a file with a line `NAME=value` for each variable
 * @throws ConfigError for a file that cannot be read
 */
export function readVariables(environment: Environment, envFile: unknown): Record<string, string> {
  const ofFile = typeof envFile === 'string' ? parseEnv(readText(envFile, '--env-file')) : {};
  const variables: Record<string, string> = {};
  for (const [name, value] of [...Object.entries(ofFile), ...Object.entries(environment)]) {
    if (name.startsWith(PREFIX) && value !== undefined && value !== '') variables[name] = value;
  }
  return withSecretsOfFiles(variables);
}

const FILE = '_FILE';
const SECRET_FILE = /_(?:SECRET|TOKEN|LEDGER_URL)_FILE$/;

/** Replaces each variable that names the file of a secret by the secret, without a line break at its end. */
function withSecretsOfFiles(variables: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([variable, value]) => {
      if (!SECRET_FILE.test(variable)) return [variable, value];
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
