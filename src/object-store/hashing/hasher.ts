import type { Digests } from './digests.ts';

/** A digest of a body. */
export type DigestName = keyof Digests;

/** Computes digests of files. */
export interface Hasher {
  /** Starts to hash a file that is still being written. @param digests - computes SHA-256 too when it is `all` */
  follow(path: string, digests?: 'all'): FollowedFile;
  /** @returns the SHA-256 of a complete file, lower-case hexadecimal */
  sha256(path: string): Promise<string>;
  close(): Promise<void>;
}

/** A file whose digests are computed while it is written. */
export interface FollowedFile {
  /** Allows the first `size` bytes of the file to be read. */
  advance(size: number): void;
  /** @param size - of the complete file, in bytes */
  finish(size: number): Promise<FollowedDigests>;
  /** Stops hashing. `finish` must not be called afterwards. */
  stop(): void;
}

/** SHA-256 is there if it was asked for. */
export type FollowedDigests = Omit<Digests, 'sha256'> & Partial<Digests>;
