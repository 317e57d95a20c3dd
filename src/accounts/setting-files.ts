import type { Config } from '../config/config.ts';
import { makeDataFolder } from '../config/files.ts';
import { throwTogether } from '../config/settings-error.ts';
import { readTlsFiles } from '../config/tls-files.ts';
import type { Account } from './accounts.ts';
import { readConfigured } from './keys.ts';

/**
 * Checks every file that the settings name, and creates the data folder.
 * @param given - accounts that replace those of the accounts file
 * @returns the accounts of the accounts file, or the given ones; undefined when there are none
 * @throws SettingsError with all that cannot be used
 */
export function useSettingFiles(
  config: Config,
  given: readonly Account[] | undefined,
): readonly Account[] | undefined {
  let accounts = given;
  throwTogether([
    () => {
      readTlsFiles(config);
    },
    () => {
      accounts ??= readConfigured(config);
    },
    () => {
      makeDataFolder(config);
    },
  ]);
  return accounts;
}
