import { statfs } from 'node:fs/promises';

/** How many bytes may come in, in all bodies together, before the disk is asked again. */
const STEP_BYTES = 8 * 1024 * 1024;

/** The disk has less free space than must be left. Its code is the one of a disk that is full. */
class ReserveReached extends Error {
  override readonly name = 'ReserveReached';
  readonly code = 'ENOSPC';
}

/** Keeps some space of a disk free, so that whatever is not an upload can always be written. */
export class FreeSpace {
  readonly #folder: string;
  readonly #reserve: number;
  /** Bytes that came in since the disk had enough space; at first nobody has looked. */
  #unchecked = STEP_BYTES;

  /** @param reserve - bytes that stay free; 0 to ask for nothing */
  constructor(folder: string, reserve: number) {
    this.#folder = folder;
    this.#reserve = reserve;
  }

  /**
   * Asks the disk, unless little has come in since it was asked.
   * @throws ReserveReached when so many bytes more would not leave the reserve
   */
  async require(size: number): Promise<void> {
    if (this.#unchecked + size < STEP_BYTES) return;
    await this.#ask(size);
    this.#unchecked = 0;
  }

  async #ask(size: number): Promise<void> {
    if (this.#reserve === 0) return;
    const { bavail, bsize } = await statfs(this.#folder);
    const left = bavail * bsize - size;
    if (left >= this.#reserve) return;
    throw new ReserveReached(
      `${String(bavail * bsize)} bytes are free, ${String(size)} are to come, and ${String(this.#reserve)} must stay free`,
    );
  }

  /** Passes bytes on as long as they leave the reserve. @throws ReserveReached as soon as they do not */
  async *guard(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of bytes) {
      this.#unchecked += chunk.length;
      await this.require(0);
      yield chunk;
    }
  }
}
