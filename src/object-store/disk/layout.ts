import { join } from 'node:path';

/** Where bodies are while they come in, and as long as nobody has recorded them. */
export const STAGING = 'staging';
/** Where small bodies are durable until their own files are. */
export const JOURNAL = 'journal';
/** Where whole bodies are. */
export const OBJECTS = 'objects';
/** Where the journals of a crash are from their recovery until every body of them was reconciled. */
export const RECOVERED = 'recovered';
/** Where files go that may be the last copy of something. They are never deleted, and never read again. */
export const LOST = 'lost';

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

/** Whether a name can be a locator. Random ones have 32 characters, and so many are never all letters. */
export function isLocator(name: string): boolean {
  return /^(?=.*\d)[0-9a-z]{2,64}$/.test(name);
}

/** Whether a name can be the one of a folder in `objects/`. */
export function isObjectFolder(name: string): boolean {
  return /^[0-9a-z]{2}$/.test(name);
}

/** Whether a name can be the one of a journal. */
export function isJournal(name: string): boolean {
  return /^[1-9]\d{0,14}$/.test(name);
}
