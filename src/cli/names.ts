/** What the names of all variables begin with. */
export const PREFIX = 'OTA_GATEWAY_';

/** @returns the environment variable of a setting: `dataDir` is `OTA_GATEWAY_DATA_DIR` */
export function variableName(option: string): string {
  return PREFIX + option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** @returns the flag of a setting: `dataDir` is `--data-dir` */
export function flagName(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** @returns a setting as the user has given it: its flag when the command line has that, else its variable */
export function givenName(option: string): string {
  const flag = flagName(option);
  const isFlag = process.argv.some((word) => word === flag || word.startsWith(`${flag}=`));
  return isFlag ? flag : variableName(option);
}
