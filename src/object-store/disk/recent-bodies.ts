import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { SmallBodies } from '../../uploads/ports.ts';
import { unlessMissing } from '../files.ts';

const LIMITS = {
  /** Of a body. A stream takes as much for a body that is larger. */
  maxBytes: 64 * 1024,
  /** Of all bodies that are kept. */
  total: 16 * 1024 * 1024,
};

/**
 * Reads small bodies, and keeps those that were read last in memory. The bytes of a locator never change, so what is kept
 * is right as long as the ledger names the locator.
 */
export class RecentBodies implements SmallBodies {
  readonly maxBytes: number;
  readonly #total: number;
  readonly #pathOf: (locator: string) => string;
  /** The one that was read last comes last. */
  readonly #kept = new Map<string, Uint8Array>();
  #keptBytes = 0;

  constructor(pathOf: (locator: string) => string, limits = LIMITS) {
    this.#pathOf = pathOf;
    this.maxBytes = limits.maxBytes;
    this.#total = limits.total;
  }

  async read(locator: string, size: number): Promise<Uint8Array | undefined> {
    const bytes = this.#kept.get(locator) ?? (await readFile(this.#pathOf(locator), size));
    this.forget(locator);
    if (bytes !== undefined) this.#keep(locator, bytes);
    return bytes;
  }

  /** Frees the memory of a body. */
  forget(locator: string): void {
    const bytes = this.#kept.get(locator);
    if (bytes === undefined) return;
    this.#kept.delete(locator);
    this.#keptBytes -= bytes.buffer.byteLength;
  }

  #keep(locator: string, bytes: Uint8Array): void {
    this.#kept.set(locator, bytes);
    this.#keptBytes += bytes.buffer.byteLength;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= this.#total) return;
      this.forget(oldest);
    }
  }
}

/** @returns one byte more than `size` when the file is larger, so that its reader sees that */
async function readFile(path: string, size: number): Promise<Uint8Array | undefined> {
  const opened = await unlessMissing(open(path, constants.O_RDONLY));
  if (opened === undefined) return undefined;
  await using file = opened;
  const buffer = Buffer.allocUnsafeSlow(size + 1);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
  return buffer.subarray(0, bytesRead);
}
