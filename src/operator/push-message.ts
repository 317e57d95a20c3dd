import type { BucketKey } from '../signatures/bucket-key.ts';
import { downloadUrl } from '../signatures/download-url.ts';
import type { FirmwarePackage } from '../uploads/firmware-package.ts';
import type { PushMessageShape } from './package-shapes.ts';
import type { ComposeMessage } from './ports.ts';

/** What messages to devices are made with. */
export interface MessageDependencies {
  readonly bucket: string;
  readonly bucketKey: BucketKey;
  readonly compose: ComposeMessage;
}

/** When a message is pushed, and its URLs. */
export interface Push {
  /** Unix milliseconds. */
  readonly at: number;
  /** How long the URLs are valid, in milliseconds. */
  readonly validity: number;
  /** The address of the gateway in the URLs: scheme, host and path, without a trailing slash. */
  readonly host: string;
}

/** Makes the message that the platform would push to a device, with URLs that download the files from this gateway. */
export function pushMessage(
  { bucket, bucketKey, compose }: MessageDependencies,
  firmware: FirmwarePackage,
  { at, host, validity }: Push,
): PushMessageShape {
  const urlOf = (key: string): string =>
    downloadUrl(bucketKey, { bucket, host, key }, at + validity);
  return compose(firmware, { at, urlOf });
}
