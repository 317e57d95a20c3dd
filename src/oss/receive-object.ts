import type { OpenRecord } from '../http/request-record.ts';
import { preciseNow } from '../lib/clock.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import { receiveUpload } from '../uploads/receive.ts';
import type { ReceiveOutcome } from '../uploads/receive.ts';
import { prepareSha256 } from '../uploads/sha256.ts';
import type { StoredObject } from '../uploads/upload.ts';
import { ossError } from './errors.ts';
import type { OssErrorName } from './errors.ts';
import { withinSize } from './size-limit.ts';
import type { SizeLimits } from './size-limit.ts';

/** The upload that an authorized request asks for. */
export interface UploadCommand {
  readonly key: string;
  /** Response headers that are stored with the object, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly forbidOverwrite: boolean;
  readonly size: SizeLimits;
  readonly bytes: AsyncIterable<Buffer>;
}

const NOT_STORED = {
  immutable: 'FileImmutable',
  exists: 'FileAlreadyExists',
  full: 'InternalError.diskFull',
  cancelled: 'ServiceUnavailable',
} as const satisfies Readonly<
  Record<Exclude<ReceiveOutcome['kind'], 'stored' | 'limit'>, OssErrorName>
>;

/**
 * Stores an object durably, and starts to compute the SHA-256 for a later claim.
 * @throws OssError when it is not stored; every error that reading its bytes throws
 */
export async function receiveObject(
  uploads: UploadDependencies,
  { key, headers, forbidOverwrite, size, bytes }: UploadCommand,
  record: OpenRecord,
): Promise<StoredObject> {
  record.keys = [key];
  let endedAt = 0;
  const outcome = await receiveUpload(uploads, {
    key,
    headers,
    forbidOverwrite,
    announcedSize: size.announced,
    requestId: record.requestId,
    peer: record.peer,
    bytes: withinSize(bytes, size, () => {
      endedAt = preciseNow();
    }),
  });
  if (outcome.kind === 'limit') {
    throw ossError('AccessDenied.limit', { values: { explanation: outcome.explanation } });
  }
  if (outcome.kind !== 'stored') throw ossError(NOT_STORED[outcome.kind]);
  record.from = outcome.from;
  record.to = 'stored';
  uploads.observer.finished?.(preciseNow() - endedAt);
  prepareSha256(uploads, outcome.object);
  return outcome.object;
}

/** @returns whether the headers or form fields of a request forbid replacing an object (OSS "PutObject") */
export function forbidsOverwrite(values: ReadonlyMap<string, string>): boolean {
  return values.get('x-oss-forbid-overwrite')?.toLowerCase() === 'true';
}
