import type { FileHandle } from 'node:fs/promises';
import { hasErrorCode } from '../../lib/errno.ts';

const BLOCK_BYTES = 4096;

/** Reads parts of a file of any size through one buffer. */
export class FileWindow {
  /** Of the file, in bytes. */
  readonly size: number;
  readonly #file: FileHandle;
  readonly #buffer: Buffer;
  /** The range of the file that is in the buffer. */
  #start = 0;
  #end = 0;

  /** @param width - the most bytes of one `view` */
  private constructor(file: FileHandle, size: number, width: number) {
    this.#file = file;
    this.size = size;
    this.#buffer = Buffer.allocUnsafeSlow(width);
  }

  static async open(file: FileHandle, width: number): Promise<FileWindow> {
    const { size } = await file.stat();
    return new FileWindow(file, size, width);
  }

  /** @returns bytes that are valid until the next call; fewer at the end of the file */
  async view(position: number, length: number): Promise<Buffer> {
    const end = Math.min(position + length, this.size);
    if (position < this.#start || end > this.#end) await this.#fill(position);
    return this.#buffer.subarray(position - this.#start, Math.max(end, position) - this.#start);
  }

  async #fill(position: number): Promise<void> {
    const length = Math.min(this.#buffer.length, Math.max(0, this.size - position));
    this.#start = position;
    this.#end = position;
    while (this.#end - position < length) {
      const at = this.#end - position;
      const read = await readSome(this.#file, this.#buffer.subarray(at, length), this.#end);
      this.#end += read;
    }
  }
}

/** Returns zeros for blocks that the disk cannot read, so that the bytes after them can be read. */
async function readSome(file: FileHandle, target: Buffer, position: number): Promise<number> {
  try {
    const { bytesRead } = await file.read(target, 0, target.length, position);
    if (bytesRead > 0) return bytesRead;
    // The file was truncated after it was opened.
    target.fill(0);
    return target.length;
  } catch (error) {
    if (!hasErrorCode(error, 'EIO')) throw error;
    if (target.length > BLOCK_BYTES) {
      return await readSome(file, target.subarray(0, BLOCK_BYTES), position);
    }
    target.fill(0);
    return target.length;
  }
}
