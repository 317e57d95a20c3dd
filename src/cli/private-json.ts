import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomIds } from '../lib/ids.ts';
import { PRIVATE_FILE } from '../lib/private-files.ts';

/** Writes a JSON file that appears complete, and that only its owner can read. @throws the error of the system */
export function writePrivateJson(path: string, value: object): void {
  const unfinished = `${path}.${randomIds.locator()}`;
  try {
    const text = `${JSON.stringify(value, undefined, 2)}\n`;
    writeFileSync(unfinished, text, { flag: 'wx', mode: PRIVATE_FILE });
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}
