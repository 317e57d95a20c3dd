import type { Signal } from '@preact/signals';
import type { UploadShape } from '../../../operator/upload-shapes.ts';

/** How far an upload of this page is. */
export type TransferState =
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'sending';
      readonly sent: number;
      readonly total: number;
      readonly perSecond: number | undefined;
      /** In milliseconds. */
      readonly left: number | undefined;
    }
  /** All bytes are sent; the gateway makes them durable. */
  | { readonly kind: 'finishing' }
  /** The gateway does not answer; once it does, the upload goes on. */
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'stored'; readonly upload: UploadShape }
  | { readonly kind: 'failed'; readonly message: string; readonly requestId?: string | undefined }
  | { readonly kind: 'stopped' };

/** A file on its way. */
export interface Transfer {
  readonly id: number;
  readonly file: File;
  readonly state: Signal<TransferState>;
  /** Which form it is sent with, from 1. */
  readonly attempt: Signal<number>;
  stop: () => void;
}

/** @returns whether an upload has not ended */
export function isOpen({ kind }: TransferState): boolean {
  return kind !== 'stored' && kind !== 'failed' && kind !== 'stopped';
}
