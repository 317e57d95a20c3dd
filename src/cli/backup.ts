import { backUpDataFolder } from '../maintenance.ts';
import { counted } from './counted.ts';
import type { RawOptions } from './environment.ts';
import { readConfig } from './environment.ts';

/**
 * Copies the data folder, also while its server is running.
 * @returns whether the copy lacks something, because the original does
 */
export async function backup(target: string, options: RawOptions): Promise<boolean> {
  const { missing, uploads, bytes } = await backUpDataFolder(readConfig(options).dataDir, target);
  for (const key of missing) process.stdout.write(`${key} has no bytes; run fsck\n`);
  const copied = `${counted(uploads, 'upload')} with ${counted(bytes, 'byte')}`;
  process.stdout.write(`${copied} in ${target}\n`);
  return missing.length > 0;
}
