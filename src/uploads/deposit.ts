import { findObjectKeyProblem } from '../policy/object-key.ts';
import type { UploadDependencies } from './dependencies.ts';
import { findExcessHeader, MAX_HEADER_BYTES } from './header-limit.ts';
import { receiveUpload } from './receive.ts';
import type { StoredObject } from './upload.ts';

/** A file that comes in by another way than a signed form. */
export interface Deposit {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Its object key; absent for a new one. */
  readonly key?: string | undefined;
  /** What a new key ends in, without a dot. */
  readonly suffix?: string | undefined;
  /** Who may claim it, when it gets a new key. Absent: the account, if there is only one. */
  readonly accountId?: string | undefined;
  /** Response headers to replay when it is downloaded, by lower-case name; 8 KiB at most, names and values. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Refuse when the key holds a file already. */
  readonly forbidOverwrite?: boolean | undefined;
}

/** A file that is stored and waits for its claim. */
export interface DepositedFile {
  readonly key: string;
  readonly object: StoredObject;
}

/**
 * Why a file was not stored. `invalidKey`: no object can have the key. `tooLarge`: it has more bytes than the gateway
 * allows. `immutable`: a firmware package holds the key. `exists`: the key holds a file and may not be overwritten.
 * `full`: the disk has no room for it. `headersTooLarge`: its headers have more bytes than are stored with an object.
 */
export type DepositRefusal =
  'invalidKey' | 'headersTooLarge' | 'tooLarge' | 'immutable' | 'exists' | 'full';

/** A file that was not stored; nothing is left of it. */
export class DepositError extends Error {
  override readonly name = 'DepositError';
  readonly code: DepositRefusal;

  constructor(code: DepositRefusal, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Stores a file as if it had been posted: from now on it has to be claimed, or it is purged.
 * @throws DepositError when it is refused; whatever its bytes throw
 */
export async function deposit(
  deps: UploadDependencies,
  { accountId, bytes, forbidOverwrite = false, headers = {}, key, suffix }: Deposit,
): Promise<DepositedFile> {
  const excess = findExcessHeader(Object.entries(headers));
  if (excess !== undefined) {
    const message = `the headers have more than ${String(MAX_HEADER_BYTES)} bytes with ${JSON.stringify(excess)}`;
    throw new DepositError('headersTooLarge', message);
  }
  const ownKey = key ?? (await mintKey(deps, accountId, suffix));
  if (findObjectKeyProblem(ownKey) !== undefined) {
    throw new DepositError('invalidKey', `no object can have the key ${JSON.stringify(ownKey)}`);
  }
  const outcome = await receiveUpload(deps, {
    key: ownKey,
    headers,
    forbidOverwrite,
    bytes: upTo(deps.rules.maxUploadBytes, bytes),
  });
  switch (outcome.kind) {
    case 'stored':
      return { key: ownKey, object: outcome.object };
    case 'immutable':
      throw new DepositError('immutable', `a firmware package holds ${ownKey}`);
    case 'exists':
      throw new DepositError('exists', `${ownKey} is there and may not be overwritten`);
    case 'full':
      throw new DepositError('full', 'the disk has no room for the file');
  }
}

/** A key of its own shape, so that nobody takes it for one that was signed for a form. */
async function mintKey(
  { clock, ids, ledger }: UploadDependencies,
  accountId: string | undefined,
  suffix: string | undefined,
): Promise<string> {
  const now = clock.now();
  const name = ids.objectName(now);
  const key = suffix === undefined ? `uploads/${name}` : `uploads/${name}.${suffix}`;
  // Nobody holds a policy for it, so there is none that could still be used.
  if (accountId !== undefined) {
    await ledger.recordIssued({ key, accountId, issuedAt: now, policyExpiresAt: now });
  }
  return key;
}

async function* upTo(
  maximum: number,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > maximum) {
      throw new DepositError('tooLarge', `the file has more than ${String(maximum)} bytes`);
    }
    yield chunk;
  }
}

/**
 * Takes a deposited file back, bytes and all. What was claimed or replaced meanwhile stays.
 * @returns whether it was still there
 */
export async function withdraw(
  { clock, ledger, store }: UploadDependencies,
  { key, object }: DepositedFile,
): Promise<boolean> {
  const isGone = await ledger.deleteUpload(key, object.locator, clock.now());
  // The next purge would do it; whoever takes a file back wants the room now.
  if (isGone) await store.delete(object.locator);
  return isGone;
}
