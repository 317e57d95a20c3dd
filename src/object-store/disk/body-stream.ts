import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ByteRange } from '../../uploads/ports.ts';

/**
 * Reads a file, and closes it at the end. Buffers are used again after `recycle`. A reader that recycles each chunk
 * before it reads the next one needs two buffers at most: its own, and one that is read ahead.
 */
export class BodyStream extends Readable {
  readonly #file: FileHandle;
  readonly #chunkSize: number;
  readonly #free: Uint8Array[] = [];
  readonly #end: number;
  #position: number;

  /** @param chunkSize - the bytes of one read */
  constructor(file: FileHandle, range: ByteRange | undefined, chunkSize: number) {
    super({ highWaterMark: chunkSize });
    this.#file = file;
    this.#chunkSize = chunkSize;
    this.#position = range?.start ?? 0;
    this.#end = range === undefined ? Number.POSITIVE_INFINITY : range.end + 1;
  }

  /** Takes back a chunk that the reader no longer uses. */
  recycle({ buffer }: Uint8Array): void {
    if (buffer.byteLength === this.#chunkSize) this.#free.push(new Uint8Array(buffer));
  }

  override _read(): void {
    this.#readNext().then(
      (chunk) => this.push(chunk),
      (error: unknown) => this.destroy(toError(error)),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // `close` waits for a pending read.
    this.#file.close().then(
      () => done(error),
      (closing: unknown) => done(error ?? toError(closing)),
    );
  }

  /** @returns null at the end */
  async #readNext(): Promise<Uint8Array | null> {
    const length = Math.min(this.#chunkSize, this.#end - this.#position);
    if (length <= 0) return null;
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#chunkSize);
    const { bytesRead } = await this.#file.read(buffer, 0, length, this.#position);
    this.#position += bytesRead;
    return bytesRead === 0 ? null : buffer.subarray(0, bytesRead);
  }
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
