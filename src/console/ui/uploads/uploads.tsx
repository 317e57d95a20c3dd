import type { JSX } from 'preact';
import { UploadDetail } from './upload-detail.tsx';
import { UploadList } from './upload-list.tsx';
import './uploads.css';

/** All uploads, or one key with everything that is known of it. */
export function Uploads({ id }: { readonly id: string }): JSX.Element {
  return id === '' ? <UploadList /> : <UploadDetail uploadKey={id} />;
}
