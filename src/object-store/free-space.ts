import { statfs } from 'node:fs/promises';

/** How many bytes of all bodies may be written between two checks of the disk. */
const STEP_BYTES = 8 * 1024 * 1024;

/** The disk has less free space than the reserve. It has the error code of a full disk. */
class ReserveReached extends Error {
  override readonly name = 'ReserveReached';
  readonly code = 'ENOSPC';
}

/** Keeps a reserve of the disk free for everything except uploads. */
export class FreeSpace {
  readonly #folder: string;
  readonly #reserve: number;
  /** Bytes that were written since the last check; the initial value forces a check. */
  #unchecked = STEP_BYTES;

  /** @param reserve - bytes that stay free; 0 for no limit */
  constructor(folder: string, reserve: number) {
    this.#folder = folder;
    this.#reserve = reserve;
  }

  /**
   * Checks the disk, unless few bytes were written since the last check.
   * @returns undefined when it is not checked
   * @throws ReserveReached, as a rejection, when less than the reserve would be free after `size` more bytes
   */
  require(size: number): Promise<void> | undefined {
    if (this.#unchecked + size < STEP_BYTES) return undefined;
    return this.#check(size).then(() => {
      this.#unchecked = 0;
    });
  }

  /** Checks the disk now. @throws ReserveReached when less than the reserve is free */
  requireNow(): Promise<void> {
    return this.#check(0);
  }

  async #check(size: number): Promise<void> {
    if (this.#reserve === 0) return;
    const { bavail, bsize } = await statfs(this.#folder);
    const left = bavail * bsize - size;
    if (left >= this.#reserve) return;
    throw new ReserveReached(
      `${String(bavail * bsize)} bytes are free, ${String(size)} are announced, ` +
        `${String(this.#reserve)} must stay free`,
    );
  }

  /**
   * Counts bytes that will be written.
   * @returns undefined, or a check of the disk when enough were counted
   * @throws ReserveReached, as a rejection, when less than the reserve is free
   */
  note(bytes: number): Promise<void> | undefined {
    this.#unchecked += bytes;
    return this.require(0);
  }
}
