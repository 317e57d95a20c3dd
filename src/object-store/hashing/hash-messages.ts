import type { DigestName } from './hasher.ts';

/** Messages to a hash thread. `job` identifies one digest of one file. */
export type HashRequest =
  | {
      readonly job: number;
      readonly kind: 'follow';
      readonly path: string;
      readonly digest: DigestName;
    }
  | { readonly job: number; readonly kind: 'sha256'; readonly path: string }
  | { readonly job: number; readonly kind: 'advance' | 'finish'; readonly size: number }
  | { readonly job: number; readonly kind: 'stop' };

/** Responses of a hash thread: to `finish` and `sha256`, or after an error. */
export type HashResponse =
  | { readonly job: number; readonly kind: 'done'; readonly digest: string }
  | { readonly job: number; readonly kind: 'failed'; readonly message: string };
