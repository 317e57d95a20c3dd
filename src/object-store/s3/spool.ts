import { createReadStream } from 'node:fs';
import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivate, makePrivateFolders } from '../../lib/private-files.ts';
import type { Batch } from '../batches.ts';
import { remove } from '../files.ts';
import { FreeSpace } from '../free-space.ts';
import type { Content } from './store-client.ts';

/** Folder of large bodies while they are sent to the store. */
const SPOOL = 'spool';
const READ_BYTES = 256 * 1024;

/**
 * The files of large bodies that are being sent. They are never flushed: a body is acknowledged when the store has it.
 */
export class Spool {
  readonly #folder: string;
  readonly #space: FreeSpace;

  private constructor(folder: string, minFree: number) {
    this.#folder = folder;
    this.#space = new FreeSpace(folder, minFree);
  }

  /**
   * Opens the spool of a data folder, and empties it: what a killed process has left was never acknowledged.
   * @param minFree - bytes of the disk that bodies must leave free; 0 for no limit
   */
  static async open(dataDir: string, minFree: number): Promise<Spool> {
    const folder = join(dataDir, SPOOL);
    makePrivateFolders(folder);
    makePrivate(folder);
    for (const name of await readdir(folder)) await remove(join(folder, name));
    return new Spool(folder, minFree);
  }

  path(locator: string): string {
    return join(this.#folder, locator);
  }

  /** @throws an error with the code `ENOSPC` when a body of this size does not fit */
  async requireRoom(size: number): Promise<void> {
    await this.#space.require(size);
  }

  /** Passes batches on. @throws an error with the code `ENOSPC` when too little of the disk is free */
  async *guard(batches: AsyncIterable<Batch>): AsyncGenerator<Batch, void, undefined> {
    for await (const batch of batches) {
      await this.#space.note(batch.size);
      yield batch;
    }
  }

  /** @throws when no body could be written now */
  async requireWritable(): Promise<void> {
    await access(this.#folder, constants.W_OK | constants.X_OK);
    await this.#space.requireNow();
  }
}

/** @returns some bytes of a file, to send them */
export function fileContent(path: string, start: number, size: number, md5?: string): Content {
  return {
    size,
    ...(md5 !== undefined && { md5 }),
    open: () => createReadStream(path, { start, end: start + size - 1, highWaterMark: READ_BYTES }),
  };
}
