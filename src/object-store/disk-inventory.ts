import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { BodyInventory, FoundFile, Hasher, StoredBody } from '../ports.ts';
import { hasErrorCode } from '../system-error.ts';
import { flushFolder, makeDurableFolder, remove, unlessMissing } from './files.ts';
import { listJournals, readJournals } from './journal-records.ts';
import { folderName, objectFolder, objectPath, OBJECTS, STAGING, stagingPath } from './layout.ts';

/** Where files go that nobody knows. */
const SET_ASIDE = 'lost';

/** File systems that have no link from one to another, or none at all. */
const NO_LINK = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'];

/** Counts and compares what a store on disk holds, beside the process that works with it. */
export class DiskInventory implements BodyInventory {
  readonly #dataDir: string;
  readonly #hasher: Hasher;

  constructor(dataDir: string, hasher: Hasher) {
    this.#dataDir = dataDir;
    this.#hasher = hasher;
  }

  async *files(): AsyncGenerator<FoundFile, void, undefined> {
    const folders = await unlessMissing(
      readdir(join(this.#dataDir, OBJECTS), { withFileTypes: true }),
    );
    for (const folder of folders ?? []) {
      const path = join(OBJECTS, folder.name);
      if (!folder.isDirectory()) {
        yield { path, locator: undefined };
        continue;
      }
      for (const name of await readdir(join(this.#dataDir, path))) {
        const isBody = folderName(name) === folder.name;
        yield { path: join(path, name), locator: isBody ? name : undefined };
      }
    }
  }

  async isUnsettled(locator: string): Promise<boolean> {
    if ((await unlessMissing(stat(stagingPath(this.#dataDir, locator)))) !== undefined) return true;
    return (await readJournals(await listJournals(this.#dataDir))).has(locator);
  }

  async countUnsettled(): Promise<number> {
    return (await unlessMissing(readdir(join(this.#dataDir, STAGING))))?.length ?? 0;
  }

  async stat(locator: string): Promise<{ readonly size: number } | undefined> {
    return unlessMissing(stat(objectPath(this.#dataDir, locator)));
  }

  async measure(locator: string): Promise<StoredBody | undefined> {
    const found = await this.stat(locator);
    if (found === undefined) return undefined;
    const { size } = found;
    const followed = this.#hasher.follow(objectPath(this.#dataDir, locator));
    try {
      return { size, ...(await followed.finish(size)) };
    } catch (error) {
      // It may have been purged meanwhile.
      if ((await this.stat(locator)) === undefined) return undefined;
      throw error;
    }
  }

  async setAside(path: string): Promise<void> {
    await makeDurableFolder(join(this.#dataDir, SET_ASIDE));
    const from = join(this.#dataDir, path);
    await rename(from, join(this.#dataDir, SET_ASIDE, basename(path)));
    await flushFolder(dirname(from));
    await flushFolder(join(this.#dataDir, SET_ASIDE));
  }

  async copyTo(folder: string, locator: string): Promise<boolean> {
    const target = objectPath(folder, locator);
    if ((await unlessMissing(stat(target))) !== undefined) return true;
    await mkdir(objectFolder(folder, locator), { recursive: true });
    return (
      (await unlessMissing(linkOrCopy(objectPath(this.#dataDir, locator), target))) !== undefined
    );
  }

  async keepOnly(isWanted: (locator: string) => Promise<boolean>): Promise<void> {
    const touched = new Set<string>();
    for await (const { locator, path } of this.files()) {
      touched.add(dirname(path));
      if (locator !== undefined && (await isWanted(locator))) continue;
      await remove(join(this.#dataDir, path));
    }
    for (const folder of touched) await flushFolder(join(this.#dataDir, folder));
  }

  async close(): Promise<void> {
    await this.#hasher.close();
  }
}

/** A body never changes, so two names of the same bytes are as good as two copies. */
async function linkOrCopy(from: string, to: string): Promise<true> {
  try {
    await link(from, to);
  } catch (error) {
    if (!NO_LINK.some((code) => hasErrorCode(error, code))) throw error;
    await copyFile(from, to);
  }
  // Also a link: what makes a small body durable may still be the journal, which is not copied.
  await using copy = await open(to, constants.O_RDONLY);
  await copy.sync();
  return true;
}
