import { accessSync, constants, readFileSync } from 'node:fs';
import { hasErrorCode } from '../lib/errno.ts';
import { makePrivateFolders } from '../lib/private-files.ts';
import type { Config } from './config.ts';
import { SettingsError } from './settings-error.ts';

/*
 * Checks of the files and folders that settings name. What is wrong with them is a configuration error: it names the
 * setting, what is wrong, what was expected, and what to do. No text has anything of the content of a file.
 */

/**
 * Reads a file that a setting names.
 * @param expected - what the file must be
 * @throws SettingsError when it cannot be read
 */
export function readSettingFile(setting: keyof Config, path: string, expected: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const advice = 'Check the path, and that the user of the gateway may read it';
    throw problem(
      setting,
      `${path} cannot be read (${reasonOf(error)}): expected ${expected}. ${advice}`,
    );
  }
}

/** Error codes for a path that cannot be a folder of this user. A full disk has others. */
const NO_FOLDER = [
  'EACCES',
  'EEXIST',
  'ENOTDIR',
  'EROFS',
  'EPERM',
  'ENOENT',
  'ELOOP',
  'ENAMETOOLONG',
];

/** Creates the data folder, unless it exists. @throws SettingsError when it cannot be used */
export function makeDataFolder({ dataDir }: Config): void {
  try {
    makePrivateFolders(dataDir);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (!NO_FOLDER.some((code) => hasErrorCode(error, code))) throw error;
    const advice = 'Give another folder, or change its owner or mode';
    throw problem(
      'dataDir',
      `${dataDir} cannot be used (${reasonOf(error)}): expected a folder that the user of the gateway may write. ${advice}`,
    );
  }
}

/** @returns the error of one setting */
export function problem(setting: keyof Config, text: string): SettingsError {
  return new SettingsError([{ settings: [setting], text }]);
}

/** @returns the code of a system error, and its text without the path */
function reasonOf(error: unknown): string {
  return String(error).replace(/^Error: |, .*$/g, '');
}
