import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { PRIVATE_FILE } from './private-files.ts';

/**
 * Writes a new private file whose text is durable when it returns; its name is, after {@link flushFolder}.
 * @param prepare - is called with the open, still empty file
 */
export function writeDurably(path: string, text: string, prepare?: (file: number) => void): void {
  const file = openSync(path, 'wx', PRIVATE_FILE);
  try {
    prepare?.(file);
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes the names in a folder durable. */
export function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
