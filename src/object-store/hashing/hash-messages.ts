/** What can be computed of a file behind its writer. */
export type FollowedDigest = 'md5' | 'crc64';

/** What the gateway's thread asks of a hash thread. `job` names one digest of one file until it is done or stopped. */
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

/** What a hash thread answers to `finish` and to `sha256`. */
export type HashResponse =
  | { readonly job: number; readonly kind: 'done'; readonly digest: string }
  | { readonly job: number; readonly kind: 'failed'; readonly message: string };
