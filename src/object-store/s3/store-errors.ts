import { z } from 'zod';
import type { StoreFailure } from '../../uploads/ports.ts';
import { StoreUnavailable } from '../../uploads/unavailable.ts';

/** What errors of the SDK and of Node's sockets have. */
const anyError = z.object({
  name: z.string().optional().catch(undefined),
  code: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional().catch(undefined),
});

/**
 * What an error of a call means: the store fails; or `missing`: there is no such object or multipart upload; or `stopped`:
 * this process has given up.
 */
export type Failure = StoreFailure | 'missing' | 'stopped';

const BY_NAME: Readonly<Record<string, Failure>> = {
  AbortError: 'stopped',
  ContentBroken: 'unexpected',
  NoSuchKey: 'missing',
  NoSuchUpload: 'missing',
  NotFound: 'missing',
  QuotaExceeded: 'full',
  InsufficientStorage: 'full',
  XMinioStorageFull: 'full',
  RequestTimeTooSkewed: 'skewed',
  NoSuchBucket: 'refused',
  CredentialsProviderError: 'refused',
  TimeoutError: 'silent',
  RequestTimeout: 'failing',
  SlowDown: 'failing',
  // The bytes were changed on their way.
  BadDigest: 'failing',
};

/** @returns what an error of a call means */
export function failureOf(error: unknown): Failure {
  const { $metadata, code, name = '' } = anyError.catch({}).parse(error);
  const known = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (known !== undefined) return known;
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return code === undefined ? 'unexpected' : 'silent';
  if (status >= 500 || status === 429) return 'failing';
  return status === 401 || status === 403 ? 'refused' : 'unexpected';
}

/** The bytes to send cannot be read; the store has no part in it. */
export class ContentBroken extends Error {
  override readonly name = 'ContentBroken';

  constructor(cause: unknown) {
    super(`a body could not be read to send it: ${String(cause)}`, { cause });
  }
}

/** The store takes no more bytes. It has the error code of a full disk. */
class StoreFull extends Error {
  override readonly name = 'StoreFull';
  readonly code = 'ENOSPC';
}

/** @returns the error of a call that is not tried again */
export function storeError(error: unknown, store: string): unknown {
  const { message = '', name = '' } = anyError.catch({}).parse(error);
  const said = `${name}: ${message}`;
  const options = { cause: error };
  switch (failureOf(error)) {
    case 'silent':
      return new StoreUnavailable(`the store ${store} does not answer: ${said}`, options);
    case 'failing':
      return new StoreUnavailable(`the store ${store} cannot answer now: ${said}`, options);
    case 'skewed': {
      const advice = 'its clock and that of this machine differ too much, set them';
      return new StoreUnavailable(`the store ${store} refuses requests: ${advice}`, options);
    }
    case 'refused': {
      const advice = 'check its keys, their rights and the bucket';
      return new StoreUnavailable(`the store ${store} refuses: ${said}; ${advice}`, options);
    }
    case 'full':
      return new StoreFull(`the store ${store} takes no more bytes: ${said}`, options);
    default:
      return error;
  }
}
