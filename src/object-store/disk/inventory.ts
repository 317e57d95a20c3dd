import type { Dirent } from 'node:fs';
import { constants } from 'node:fs';
import { copyFile, link, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasErrorCode } from '../../lib/errno.ts';
import { makePrivate, PRIVATE_FILE, PRIVATE_FOLDER } from '../../lib/private-files.ts';
import type { BodyInventory, FoundFile } from '../../uploads/maintenance/ports.ts';
import type { StoredBody } from '../../uploads/ports.ts';
import type { Hasher } from '../hashing/hasher.ts';
import { flushFolder, makeDurableFolder, numberedName, remove, unlessMissing } from '../files.ts';
import { listJournals, readJournals } from './journal-files.ts';
import {
  folderName,
  LOST,
  objectFolder,
  objectPath,
  OBJECTS,
  STAGING,
  stagingPath,
} from './layout.ts';

/** Error codes of file systems without hard links, and of links between two file systems. */
const NO_LINK = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'];

/** Counts, compares and copies the bodies of a disk store that another process may be using. */
export class DiskInventory implements BodyInventory {
  /** Folders are named after the ends of locators. */
  readonly isSorted = false;
  readonly #dataDir: string;
  readonly #hasher: Hasher;

  constructor(dataDir: string, hasher: Hasher) {
    this.#dataDir = dataDir;
    this.#hasher = hasher;
  }

  async *listFiles(): AsyncGenerator<FoundFile, void, undefined> {
    for (const folder of (await unlessMissing(this.#list(OBJECTS))) ?? []) {
      const path = join(OBJECTS, folder.name);
      // A symbolic link is not followed: its target may be outside the data folder.
      if (!folder.isDirectory()) {
        yield* this.#describe(path, undefined);
        continue;
      }
      for (const entry of await this.#list(path)) {
        const isBody = entry.isFile() && folderName(entry.name) === folder.name;
        yield* this.#describe(join(path, entry.name), isBody ? entry.name : undefined);
      }
    }
  }

  /** Yields nothing when the entry was removed after it was listed. */
  async *#describe(
    path: string,
    locator: string | undefined,
  ): AsyncGenerator<FoundFile, void, undefined> {
    const entry = await unlessMissing(lstat(join(this.#dataDir, path)));
    if (entry !== undefined) yield { path, locator, size: entry.size, writtenAt: entry.mtimeMs };
  }

  #list(path: string): Promise<Dirent[]> {
    return readdir(join(this.#dataDir, path), { withFileTypes: true });
  }

  async isUncommitted(locator: string): Promise<boolean> {
    if ((await unlessMissing(stat(stagingPath(this.#dataDir, locator)))) !== undefined) return true;
    return (await this.listJournaled()).has(locator);
  }

  async countUncommitted(): Promise<number> {
    return (await unlessMissing(readdir(join(this.#dataDir, STAGING))))?.length ?? 0;
  }

  async countJournals(): Promise<number> {
    return (await listJournals(this.#dataDir)).length;
  }

  async listJournaled(): Promise<ReadonlySet<string>> {
    return new Set((await readJournals(await listJournals(this.#dataDir))).keys());
  }

  async stat(locator: string): Promise<{ readonly size: number } | undefined> {
    const folder = await unlessMissing(lstat(objectFolder(this.#dataDir, locator)));
    if (folder?.isDirectory() !== true) return undefined;
    const file = await unlessMissing(lstat(objectPath(this.#dataDir, locator)));
    return file?.isFile() === true ? { size: file.size } : undefined;
  }

  async measure(locator: string): Promise<StoredBody | undefined> {
    const found = await this.stat(locator);
    if (found === undefined) return undefined;
    const { size } = found;
    const followed = this.#hasher.follow(objectPath(this.#dataDir, locator));
    try {
      return { size, ...(await followed.finish(size)) };
    } catch (error) {
      // A running server may have purged it.
      if ((await this.stat(locator)) === undefined) return undefined;
      throw error;
    }
  }

  async setAside(path: string): Promise<string> {
    const folder = join(this.#dataDir, LOST);
    await makeDurableFolder(folder);
    // A symbolic link would lead out of the data folder.
    if (!(await lstat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`);
    const from = join(this.#dataDir, path);
    const name = await reserveName(folder, basename(path), (await lstat(from)).isDirectory());
    try {
      await rename(from, join(folder, name));
    } catch (error) {
      await rm(join(folder, name), { recursive: true });
      throw error;
    }
    await flushFolder(dirname(from));
    await flushFolder(folder);
    return join(LOST, name);
  }

  async copyTo(folder: string, locator: string): Promise<boolean> {
    const target = objectPath(folder, locator);
    if ((await unlessMissing(stat(target))) !== undefined) return true;
    if ((await this.stat(locator)) === undefined) return false;
    await mkdir(objectFolder(folder, locator), { recursive: true, mode: PRIVATE_FOLDER });
    return (
      (await unlessMissing(linkOrCopy(objectPath(this.#dataDir, locator), target))) !== undefined
    );
  }

  async keepOnly(isWanted: (locator: string) => Promise<boolean>): Promise<void> {
    const touched = new Set<string>();
    for await (const { locator, path } of this.listFiles()) {
      touched.add(dirname(path));
      if (locator !== undefined && (await isWanted(locator))) continue;
      await remove(join(this.#dataDir, path));
    }
    for (const folder of touched) await flushFolder(join(this.#dataDir, folder));
    if (touched.size > 0) await flushFolder(join(this.#dataDir, OBJECTS));
  }

  async close(): Promise<void> {
    await this.#hasher.close();
  }
}

/**
 * Reserves a name in a folder with an empty file or folder, which the moved entry then replaces.
 * @returns the wanted name, or with a number when it exists
 */
async function reserveName(folder: string, wanted: string, isFolder: boolean): Promise<string> {
  for (let count = 1; ; count += 1) {
    const name = numberedName(wanted, count);
    try {
      if (isFolder) await mkdir(join(folder, name), PRIVATE_FOLDER);
      else await (await open(join(folder, name), 'wx', PRIVATE_FILE)).close();
      return name;
    } catch (error) {
      if (!hasErrorCode(error, 'EEXIST')) throw error;
    }
  }
}

/** Bodies never change, so a hard link is as good as a copy. */
async function linkOrCopy(from: string, to: string): Promise<true> {
  try {
    await link(from, to);
  } catch (error) {
    if (!NO_LINK.some((code) => hasErrorCode(error, code))) throw error;
    await copyFile(from, to);
    makePrivate(to);
  }
  // A link is flushed, too: a small body may be durable only in the journal, which is not copied.
  await using copy = await open(to, constants.O_RDONLY);
  await copy.sync();
  return true;
}
