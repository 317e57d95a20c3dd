import { ConfigError } from './config-error.ts';
import type { Config } from './config.ts';

/** What is wrong with the value of one setting, or of some together. */
export interface SettingProblem {
  readonly settings: readonly (keyof Config)[];
  readonly text: string;
}

/** Problems that show only when the value of a setting is used, such as the path of a file. */
export class SettingsError extends ConfigError {
  readonly #found: readonly SettingProblem[];

  constructor(
    found: readonly SettingProblem[],
    nameOf: (setting: string) => string = (setting) => setting,
  ) {
    super(found.map(({ settings, text }) => `${settings.map(nameOf).join(' and ')}: ${text}`));
    this.#found = found;
  }

  /** @returns the same problems, with the names by which the caller knows the settings */
  named(nameOf: (setting: string) => string): SettingsError {
    return new SettingsError(this.#found, nameOf);
  }

  /** @returns one error with the problems of all */
  static join(errors: readonly SettingsError[]): SettingsError {
    return new SettingsError(errors.flatMap((error) => error.#found));
  }
}

/** Runs checks. @throws SettingsError with the problems of all of them; the first other error at once */
export function throwTogether(checks: readonly (() => void)[]): void {
  const errors = checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      if (error instanceof SettingsError) return [error];
      throw error;
    }
  });
  if (errors.length > 0) throw SettingsError.join(errors);
}
