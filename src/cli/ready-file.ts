import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { AccessKey } from '../accounts/accounts.ts';
import { isDisabled } from '../accounts/accounts.ts';
import { resolveKeys } from '../accounts/keys.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { wallClock } from '../lib/clock.ts';
import { randomIds } from '../lib/ids.ts';
import { variableName } from './names.ts';

/** Tells other programs that a gateway accepts requests, and what they need to call it. */
export interface ReadyFile {
  /** Writes the file, readable for its owner only; it appears complete. @throws ConfigError when that fails */
  write(url: string): void;
  /** Removes the file. */
  remove(): void;
}

/** Makes the ready file of the settings. Its functions do nothing when the settings have none. */
export function createReadyFile(config: Config): ReadyFile {
  const path = config.readyFile;
  if (path === undefined) return { write: () => undefined, remove: () => undefined };
  return {
    write: (url) => {
      writeWhole(path, `${JSON.stringify(describe(config, url), undefined, 2)}\n`);
    },
    remove: () => {
      rmSync(path, { force: true });
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

/** Writes a file that appears complete, and that only its owner can read. */
function writeWhole(path: string, text: string): void {
  const unfinished = `${path}.${randomIds.locator()}`;
  try {
    writeFileSync(unfinished, text, { flag: 'wx', mode: 0o600 });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw new ConfigError([`${variableName('readyFile')}: cannot be written: ${String(error)}`]);
  }
}
