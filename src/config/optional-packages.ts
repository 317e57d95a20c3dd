import { hasErrorCode } from '../lib/errno.ts';
import type { Config } from './config.ts';
import { SettingsError } from './settings-error.ts';

/** A package that is installed only where a setting needs it. */
export interface OptionalPackage {
  readonly name: string;
  /** The major version to install. */
  readonly version: number;
  /** The setting that needs it. */
  readonly setting: keyof Config;
}

export const POSTGRES_CLIENT: OptionalPackage = { name: 'pg', version: 8, setting: 'ledgerUrl' };
export const S3_SDK: OptionalPackage = {
  name: '@aws-sdk/client-s3',
  version: 3,
  setting: 'storeUrl',
};

const NOT_FOUND = ['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'];

/**
 * Loads a module that imports an optional package.
 * @throws SettingsError that says what to install when the package is missing
 */
export async function loadOptional<Module>(
  { name, setting, version }: OptionalPackage,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (!NOT_FOUND.some((code) => hasErrorCode(error, code))) throw error;
    const advice = `install it beside the gateway: npm install ${name}@${String(version)}`;
    const text = `needs the package ${name}, which is missing; ${advice}`;
    throw new SettingsError([{ settings: [setting], text }]);
  }
}
