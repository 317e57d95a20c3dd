/** Computes digests of files. */
export interface Hasher {
  /** Starts to hash a file that is still being written. */
  follow(path: string): FollowedFile;
  /** @returns the SHA-256 of a complete file, lower-case hexadecimal */
  sha256(path: string): Promise<string>;
  close(): Promise<void>;
}

/** A file whose digests are computed while it is written. */
export interface FollowedFile {
  /** Allows the first `size` bytes of the file to be read. */
  advance(size: number): void;
  /** @param size - of the complete file, in bytes */
  finish(size: number): Promise<{ md5: string; crc64: string }>;
  /** Stops hashing. `finish` must not be called afterwards. */
  stop(): void;
}
