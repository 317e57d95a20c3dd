import { join } from 'node:path';

/** Where bodies are while they come in, and as long as nobody has recorded them. */
export const STAGING = 'staging';
/** Where small bodies are durable until their own files are. */
export const JOURNAL = 'journal';
/** Where whole bodies are. */
export const OBJECTS = 'objects';

export function stagingPath(dataDir: string, locator: string): string {
  return join(dataDir, STAGING, locator);
}

export function objectFolder(dataDir: string, locator: string): string {
  return join(dataDir, OBJECTS, folderName(locator));
}

export function objectPath(dataDir: string, locator: string): string {
  return join(objectFolder(dataDir, locator), locator);
}

/** The last digits: they differ between locators that count up as well as between random ones. */
export function folderName(locator: string): string {
  return locator.slice(-2);
}
