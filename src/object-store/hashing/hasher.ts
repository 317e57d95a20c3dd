/** Computes digests of files. */
export interface Hasher {
  /** Follows a file that is still being written. */
  follow(path: string): FollowedFile;
  /** @returns the SHA-256 of a complete file, lower-case hexadecimal */
  sha256(path: string): Promise<string>;
  close(): Promise<void>;
}

/** A growing file whose digests are computed behind its writer. */
export interface FollowedFile {
  /** Tells how many bytes of the file may be read by now. */
  advance(size: number): void;
  /** @param size - of the complete file, in bytes */
  finish(size: number): Promise<{ md5: string; crc64: string }>;
  /** Stops following; `finish` will not be called. */
  stop(): void;
}
