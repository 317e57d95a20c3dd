import { createHash } from 'node:crypto';
import { createCRC64 } from 'hash-wasm';
import type { IHasher } from 'hash-wasm';

/** The digests of a body; MD5 and SHA-256 in lower-case hexadecimal, CRC-64/XZ as an unsigned decimal. */
export interface Digests {
  readonly md5: string;
  readonly crc64: string;
  readonly sha256: string;
}

/** A running CRC-64/XZ, hash-wasm's. It can be used again after `init`. */
export type Crc64 = IHasher;

/** Makes a CRC-64/XZ: the polynomial ECMA-182 reflected, which is hash-wasm's default and the one OSS uses. */
export async function createCrc64(): Promise<Crc64> {
  return createCRC64();
}

/** @returns the CRC as OSS prints it in `x-oss-hash-crc64ecma`. */
export function crc64Decimal(crc64: Crc64): string {
  return BigInt(`0x${crc64.digest('hex')}`).toString();
}

/** Digests of a body that is small enough to be in memory. */
export function digestChunks(chunks: readonly Uint8Array[], crc64: Crc64): Digests {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  crc64.init();
  for (const chunk of chunks) {
    md5.update(chunk);
    sha256.update(chunk);
    crc64.update(chunk);
  }
  return { md5: md5.digest('hex'), crc64: crc64Decimal(crc64), sha256: sha256.digest('hex') };
}
