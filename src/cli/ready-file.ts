import { rmSync } from 'node:fs';
import type { AccessKey } from '../accounts/accounts.ts';
import { isDisabled } from '../accounts/accounts.ts';
import { resolveKeys } from '../accounts/keys.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { wallClock } from '../lib/clock.ts';
import { hasErrorCode } from '../lib/errno.ts';
import { reasonOf } from '../lib/system-failure.ts';
import { givenName } from './names.ts';
import { writePrivateJson } from './private-json.ts';

/** Tells other programs that a gateway accepts requests, and what they need to call it. */
export interface ReadyFile {
  /** Writes the file, readable for its owner only; it appears complete. @throws ConfigError when that fails */
  write(url: string): void;
  /** Removes the file. @throws ConfigError when it is something else */
  remove(): void;
}

/** Makes the ready file of the settings. Its functions do nothing when the settings have none. */
export function createReadyFile(config: Config): ReadyFile {
  const path = config.readyFile;
  if (path === undefined) return { write: () => undefined, remove: () => undefined };
  return {
    write: (url) => {
      write(path, describe(config, url));
    },
    remove: () => {
      remove(path);
    },
  };
}

function describe(config: Config, url: string): object {
  const { accounts, bucketKey } = resolveKeys(config, undefined);
  const accessKey = accounts.all.flatMap(({ accessKeys }) => accessKeys).find(isUsable);
  return {
    url,
    region: config.region,
    accessKeyId: accessKey?.id,
    accessKeySecret: accessKey?.secret,
    bucket: config.bucket,
    ossAccessKeyId: bucketKey.accessKeyId,
    ...(config.testMode && { testControls: `${url}/_gateway/test` }),
    pid: process.pid,
  };
}

/** Whether calls with this access key need nothing else. */
function isUsable(accessKey: AccessKey): boolean {
  return accessKey.securityToken === undefined && !isDisabled(accessKey, wallClock.now());
}

/** @throws ConfigError that names the setting */
function write(path: string, content: object): void {
  try {
    writePrivateJson(path, content);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Removes what a killed process has left. @throws ConfigError when the path is not that of a file */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): ConfigError {
  const reason = hasErrorCode(error, 'ERR_FS_EISDIR') ? 'it is a folder' : reasonOf(error);
  const text = `${path} cannot be written (${reason}): expected the path of a file in a folder of this user`;
  return new ConfigError([`${givenName('readyFile')}: ${text}. Choose another path`]);
}
