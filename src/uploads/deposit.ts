import { hasNul } from '../lib/nul.ts';
import { watchBytes } from '../lib/watched-bytes.ts';
import { findObjectKeyProblem } from '../policy/object-key.ts';
import type { UploadDependencies } from './dependencies.ts';
import { findExcessHeader, MAX_HEADER_BYTES } from './header-limit.ts';
import { receiveUpload } from './receive.ts';
import type { ReceiveOutcome } from './receive.ts';
import type { Issue, StoredObject } from './upload.ts';

/** A file to store without a signed form. */
export interface Deposit {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** The object key; absent: a new one is generated. */
  readonly key?: string | undefined;
  /** The file name extension of a new key, without the dot. */
  readonly suffix?: string | undefined;
  /** The account that may claim a file with a new key. Absent: the only account. */
  readonly accountId?: string | undefined;
  /** Response headers of downloads, by lower-case name; names and values have at most 8 KiB together. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Refuse the file if the key already has one. */
  readonly forbidOverwrite?: boolean | undefined;
  /** Upper bound of the size in bytes, if known: a file without room for it is refused before its bytes are read. */
  readonly announcedSize?: number | undefined;
  /** Id of the request that sends the file; kept with the upload. */
  readonly requestId?: string | undefined;
  /** Address of the client that sends the file; kept with the upload. */
  readonly peer?: string | undefined;
}

/** A file that is stored and waits for its claim. */
export interface DepositedFile {
  readonly key: string;
  readonly object: StoredObject;
}

/**
 * Why a file was not stored. `invalidKey`: no object can have the key. `tooLarge`: it has more bytes than the gateway
 * allows. `limit`: a limit of the account or of the bucket is reached. `immutable`: a firmware package has claimed the
 * key. `exists`: the key already has a file and must not be overwritten. `full`: the disk has no room for it.
 * `cancelled`: a reset has removed all uploads while it was received.
 * `headersTooLarge`: its headers have more bytes than are stored with an object. `invalidHeader`: one of them has the
 * character U+0000.
 */
export type DepositRefusal =
  | 'invalidKey'
  | 'headersTooLarge'
  | 'invalidHeader'
  | 'tooLarge'
  | 'limit'
  | 'immutable'
  | 'exists'
  | 'full'
  | 'cancelled';

/** The file was not stored. Bytes that are left on a full disk are removed by the next reconcile. */
export class DepositError extends Error {
  override readonly name = 'DepositError';
  readonly code: DepositRefusal;

  constructor(code: DepositRefusal, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Stores a file as PostObject does: it is purged if it is not claimed in time.
 * @throws DepositError when the file is refused; an error that `bytes` throws is rethrown
 */
export async function deposit(deps: UploadDependencies, file: Deposit): Promise<DepositedFile> {
  const { accountId, announcedSize, bytes, forbidOverwrite = false, headers = {} } = file;
  const { key, peer, requestId, suffix } = file;
  checkHeaders(Object.entries(headers));
  const now = deps.clock.now();
  const ownKey = key ?? generateKey(deps, now, suffix);
  if (findObjectKeyProblem(ownKey) !== undefined) {
    throw new DepositError('invalidKey', `no object can have the key ${JSON.stringify(ownKey)}`);
  }
  const outcome = await receiveUpload(deps, {
    key: ownKey,
    headers,
    forbidOverwrite,
    announcedSize,
    issue: key === undefined ? issueTo(accountId, now, requestId) : undefined,
    requestId,
    peer,
    bytes: upTo(deps.rules.maxUploadBytes, bytes),
  });
  if (outcome.kind === 'stored') return { key: ownKey, object: outcome.object };
  throw toError(outcome, ownKey);
}

function checkHeaders(headers: readonly (readonly [name: string, value: string])[]): void {
  const excess = findExcessHeader(headers);
  if (excess !== undefined) {
    const message = `the headers have more than ${String(MAX_HEADER_BYTES)} bytes with ${JSON.stringify(excess)}`;
    throw new DepositError('headersTooLarge', message);
  }
  const invalid = headers.find((header) => header.some(hasNul));
  if (invalid !== undefined) {
    const message = `the header ${JSON.stringify(invalid[0])} has the character U+0000, which no header may have`;
    throw new DepositError('invalidHeader', message);
  }
}

function toError(
  outcome: Exclude<ReceiveOutcome, { readonly kind: 'stored' }>,
  key: string,
): DepositError {
  switch (outcome.kind) {
    case 'immutable':
      return new DepositError('immutable', `a firmware package has claimed ${key}`);
    case 'exists':
      return new DepositError('exists', `${key} exists and must not be overwritten`);
    case 'limit':
      return new DepositError('limit', outcome.explanation);
    case 'cancelled':
      return new DepositError('cancelled', 'a reset has removed all uploads meanwhile');
    case 'full':
      return new DepositError('full', 'the disk has no room for the file');
  }
}

/** No policy was signed for a generated key, so the recorded one has expired already. */
function issueTo(
  accountId: string | undefined,
  now: number,
  requestId: string | undefined,
): Issue | undefined {
  if (accountId === undefined) return undefined;
  return { accountId, issuedAt: now, policyExpiresAt: now, requestId };
}

/** Generates a key whose prefix differs from the keys of signed forms. */
function generateKey(
  { ids }: Pick<UploadDependencies, 'ids'>,
  now: number,
  suffix: string | undefined,
): string {
  const name = ids.objectName(now);
  return suffix === undefined ? `uploads/${name}` : `uploads/${name}.${suffix}`;
}

function upTo(maximum: number, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return watchBytes(bytes, {
    onBytes: (size) => {
      if (size <= maximum) return;
      throw new DepositError('tooLarge', `the file has more than ${String(maximum)} bytes`);
    },
  });
}

/**
 * Deletes a deposited file and its bytes, unless it was claimed, replaced or purged.
 * @param requestId - id of the request that asks for it
 * @returns whether it was deleted
 */
export async function withdraw(
  { clock, ledger, observer, store }: UploadDependencies,
  { key, object }: DepositedFile,
  requestId?: string,
): Promise<boolean> {
  const isDeleted = await ledger.deleteUpload(key, object.locator, clock.now(), requestId);
  if (!isDeleted) return false;
  observer.deleted?.(key);
  // Not left to the next purge, so that the room is free at once.
  await store.delete(object.locator);
  return true;
}
