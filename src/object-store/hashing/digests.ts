import { createHash } from 'node:crypto';
import type { Crc64Engine } from './crc64.ts';

/** The digests of a body; MD5 and SHA-256 in lower-case hexadecimal, CRC-64/XZ as an unsigned decimal. */
export interface Digests {
  readonly md5: string;
  readonly crc64: string;
  readonly sha256: string;
}

/** Computes the digests of a body in memory. */
export function digestChunks(chunks: readonly Uint8Array[], engine: Crc64Engine): Digests {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  const crc64 = engine.start();
  for (const chunk of chunks) {
    md5.update(chunk);
    sha256.update(chunk);
    crc64.update(chunk);
  }
  return { md5: md5.digest('hex'), crc64: crc64.digest(), sha256: sha256.digest('hex') };
}
