import { join } from 'node:path';

/** Folder of large bodies that are being written or are uncommitted. */
export const STAGING = 'staging';
/** Folder of the journals, in which small bodies are durable until their own files are. */
export const JOURNAL = 'journal';
/** Folder of complete bodies. */
export const OBJECTS = 'objects';
/** Folder of the journals of a crash, from their recovery until all their bodies are reconciled. */
export const RECOVERED = 'recovered';
/** Folder of files that may be the last copy of something. The gateway never deletes or reads them. */
export const LOST = 'lost';
/** All folders of the store. */
export const FOLDERS = [STAGING, JOURNAL, OBJECTS, RECOVERED, LOST];

export function stagingPath(dataDir: string, locator: string): string {
  return join(dataDir, STAGING, locator);
}

export function objectFolder(dataDir: string, locator: string): string {
  return join(dataDir, OBJECTS, folderName(locator));
}

export function objectPath(dataDir: string, locator: string): string {
  return join(objectFolder(dataDir, locator), locator);
}

/** The last two characters: they differ between random locators, and also between sequential ones. */
export function folderName(locator: string): string {
  return locator.slice(-2);
}

/** Whether a name can be a folder in `objects/`. */
export function isObjectFolder(name: string): boolean {
  return /^[0-9a-z]{2}$/.test(name);
}

/** Whether a name can be a journal. */
export function isJournal(name: string): boolean {
  return /^[1-9]\d{0,14}$/.test(name);
}
