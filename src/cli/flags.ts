import { Option } from 'commander';
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { SETTING_TABLE } from '../config/setting-table.ts';
import { flagName, variableName } from './names.ts';
import { ENDPOINT_VARIABLE } from './variables.ts';

/*
 * Flags that several commands have. The help of a command loads this file, and not what reads the values of the flags.
 */

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
  for (const { group, name, description, default: value, isSwitch } of SETTING_TABLE) {
    const preset = value === undefined ? '' : `; default ${value}`;
    const argument = isSwitch ? '[on|off]' : '<value>';
    const help = `${description} (${variableName(name)}${preset})`;
    const option = new Option(`${flagName(name)} ${argument}`, help);
    const isShown = shown === undefined || shown.some((each) => each === name);
    command.addOption(option.helpGroup(`${group}:`).hideHelp(!isShown));
  }
  return command;
}

/** Adds the flags that say where a command works. */
export function withDesk(command: Command): Command {
  return withEndpoint(withSettings(command, ['dataDir', 'accessKeyId', 'accessKeySecret']));
}

/** Adds the flag that names a gateway instead of a data folder. */
export function withEndpoint(command: Command): Command {
  return command.option(
    '--endpoint <url>',
    `the gateway, instead of the one that uses the data folder (${ENDPOINT_VARIABLE})`,
  );
}

/** Adds the flag of every command that has a result. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON; errors are JSON on standard error');
}

export const COLORS = ['auto', 'always', 'never'] as const;

/** Adds the flags of a command that prints tables for people. */
export function withOutput(command: Command): Command {
  return withJson(command).addOption(
    choice('--color <when>', 'color the output', COLORS).default('auto'),
  );
}

/** How long the URLs of the platform are valid (IoT Platform, "Perform OTA updates"). */
const DOWNLOAD_TTL = '24h';

/** Adds the flags of a command that prints URLs of one thing from the data folder. */
export function withDownload(command: Command): Command {
  return withJson(withSettings(command, ['dataDir', 'publicUrl', 'bucket'])).option(
    '--expires <duration>',
    'how long a URL is valid',
    DOWNLOAD_TTL,
  );
}

/** Makes a flag that takes one of some words. What carries out the command checks it: a flag that does not exist is reported before. */
export function choice(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).argParser((word: string) => word);
}

/** Adds the flags that name a firmware package, which must be given. */
export function withPackageName(command: Command): Command {
  const required = [
    new Option('--name <name>', 'FirmwareName'),
    new Option('--version <version>', 'DestVersion'),
  ];
  for (const option of required) command.addOption(option);
  // The check of the parser comes before that of flags that do not exist: `--nme x` would be a missing `--name`.
  return command.hook('preAction', () => {
    for (const option of required) {
      if (command.getOptionValue(option.attributeName()) !== undefined) continue;
      command.error(`error: required option '${option.flags}' not specified`);
    }
  });
}

/** Adds the other parameters of CreateOTAFirmware. */
export function withPackageParameters(command: Command): Command {
  return command
    .option('--module-name <name>', 'ModuleName')
    .option('--instance-id <id>', 'IotInstanceId')
    .option('--product-key <key>', 'ProductKey');
}
