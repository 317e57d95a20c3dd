/** The digests that can be computed behind the writer of a file. */
export type FollowedDigest = 'md5' | 'crc64';

/** Messages to a hash thread. `job` identifies one digest of one file. */
export type HashRequest =
  | {
      readonly job: number;
      readonly kind: 'follow';
      readonly path: string;
      readonly digest: FollowedDigest;
    }
  | { readonly job: number; readonly kind: 'sha256'; readonly path: string }
  | { readonly job: number; readonly kind: 'advance' | 'finish'; readonly size: number }
  | { readonly job: number; readonly kind: 'stop' };

/** Responses of a hash thread: to `finish` and `sha256`, or after an error. */
export type HashResponse =
  | { readonly job: number; readonly kind: 'done'; readonly digest: string }
  | { readonly job: number; readonly kind: 'failed'; readonly message: string };
