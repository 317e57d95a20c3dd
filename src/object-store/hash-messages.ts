/** What the gateway's thread asks of a hash thread. `job` names one file until it is done or abandoned. */
export type HashRequest =
  | { readonly job: number; readonly kind: 'follow' | 'sha256'; readonly path: string }
  | { readonly job: number; readonly kind: 'advance' | 'finish'; readonly size: number }
  | { readonly job: number; readonly kind: 'abandon' };

/** What a hash thread answers to `finish` and to `sha256`. */
export type HashAnswer =
  | {
      readonly job: number;
      readonly kind: 'followed';
      readonly md5: string;
      readonly crc64: string;
    }
  | { readonly job: number; readonly kind: 'sha256'; readonly sha256: string }
  | { readonly job: number; readonly kind: 'failed'; readonly message: string };
