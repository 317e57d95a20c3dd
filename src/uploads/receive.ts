import { isDiskFull } from '../lib/errno.ts';
import type { UploadDependencies } from './dependencies.ts';
import { LimitReached } from './limits.ts';
import type { AdmittedFile } from './limits.ts';
import type { KeyHolder, Room, StoredRecord, StoreOutcome } from './ports.ts';
import type { Issue, StoredObject, UploadState } from './upload.ts';

/** A body that an authorized request stores. */
export interface ReceiveRequest {
  readonly key: string;
  /** Response headers to replay when the object is read, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly forbidOverwrite: boolean;
  /** Whose upload it becomes when nothing holds the key. Absent: that of no account. */
  readonly issue?: Issue | undefined;
  /** Upper bound of the size in bytes, if known. */
  readonly announcedSize?: number | undefined;
  /** The bytes. An error thrown here (a refusal, a lost client) undoes the upload and is rethrown. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Id of the request that sends it. */
  readonly requestId?: string | undefined;
  /** Address of the client that sends it. */
  readonly peer?: string | undefined;
}

export type ReceiveOutcome =
  | {
      readonly kind: 'stored';
      readonly object: StoredObject;
      /** The state of the key when the upload began. */
      readonly from: UploadState | undefined;
    }
  | { readonly kind: Exclude<StoreOutcome, 'stored'> }
  /** It exceeds a limit of the account or of the bucket. */
  | { readonly kind: 'limit'; readonly explanation: string }
  /** A reset has removed everything while it was received. */
  | { readonly kind: 'cancelled' }
  /** There was no room for the body, or for its row; the next reconcile removes what is left of it. */
  | { readonly kind: 'full' };

/**
 * Checks whether a key accepts a body now. The ledger checks again when the body is complete, because receiving it may
 * take minutes.
 */
function findRefusal(
  state: UploadState | undefined,
  { forbidOverwrite }: ReceiveRequest,
): Exclude<StoreOutcome, 'stored'> | undefined {
  if (state === 'claimed') return 'immutable';
  return state === 'stored' && forbidOverwrite ? 'exists' : undefined;
}

/**
 * Stores a body under its key: first the durable bytes, then the row, then the response.
 * @throws an error that the bytes throw
 */
export async function receiveUpload(
  deps: UploadDependencies,
  request: ReceiveRequest,
): Promise<ReceiveOutcome> {
  const upload = deps.activeUploads.begin();
  let admission: AdmittedFile | undefined;
  try {
    const holder = await deps.ledger.findHolder(request.key);
    const from = holder?.state;
    const refusal = findRefusal(from, request);
    if (refusal !== undefined) return { kind: refusal };
    const issue = issueOf(deps, holder, request);
    const admitting = admit(deps, holder, request.announcedSize, issue);
    admission = admitting && (await admitting);
    const locator = deps.ids.locator();
    const { announcedSize, forbidOverwrite, headers, key, peer, requestId } = request;
    const bytes = admission === undefined ? request.bytes : admission.count(request.bytes);
    const body = await deps.store.put(locator, bytes, announcedSize);
    const object = { locator, storedAt: deps.clock.now(), headers, requestId, peer, ...body };
    const record = { key, object, forbidOverwrite, issue };
    const outcome = await upload.record(() => recordBody(deps, record, admission?.room));
    if (outcome === undefined) {
      await deps.store.discard(locator);
      return { kind: 'cancelled' };
    }
    return outcome === 'stored' ? { kind: outcome, object, from } : { kind: outcome };
  } catch (error) {
    if (error instanceof LimitReached) return { kind: 'limit', explanation: error.message };
    if (!isDiskFull(error)) throw error;
    deps.logger.error({ err: error, key: request.key }, 'there is no room for an upload');
    return { kind: 'full' };
  } finally {
    admission?.end();
    upload.end();
  }
}

/** @returns undefined without limits, which costs no turn of the event loop */
function admit(
  { limits }: UploadDependencies,
  holder: KeyHolder | undefined,
  announcedSize: number | undefined,
  issue: Issue | undefined,
): Promise<AdmittedFile> | undefined {
  return limits?.admitFile(holder, announcedSize, issue?.accountId);
}

/**
 * Whose upload it becomes. The row of the key may be removed while the body is received, so its issue travels with the
 * body. When the ledger has forgotten the grant, the key names the account; the times of the grant are not known any more.
 */
function issueOf(
  { clock, ownerOf }: UploadDependencies,
  holder: KeyHolder | undefined,
  { issue, key }: ReceiveRequest,
): Issue | undefined {
  const known = holder?.issue ?? issue;
  const isForgotten = known === undefined && holder === undefined;
  const accountId = isForgotten ? ownerOf?.(key) : undefined;
  if (accountId === undefined) return known;
  const now = clock.now();
  return { accountId, issuedAt: now, policyExpiresAt: now };
}

async function recordBody(
  deps: UploadDependencies,
  record: StoredRecord,
  room: Room | undefined,
): Promise<StoreOutcome> {
  const { ledger, observer, store } = deps;
  const { issue, key, object } = record;
  const { locator } = object;
  let outcome: StoreOutcome | 'disowned';
  try {
    outcome = await ledger.recordStored(record, room);
  } catch (error) {
    if (error instanceof LimitReached) {
      await finish(deps, locator, store.discard(locator));
      throw error;
    }
    // It is unknown whether the row was written; the next reconcile decides.
    store.release(locator);
    throw error;
  }
  if (outcome === 'disowned') {
    // The purge deletes it, or has done so.
    store.release(locator);
    throw new Error(
      `the body ${locator} of ${key} was given up before it could be recorded: this process stood still too long`,
    );
  }
  const isStored = outcome === 'stored';
  await finish(deps, locator, isStored ? store.commit(locator) : store.discard(locator));
  if (isStored) observer.stored?.(key, object, issue);
  return outcome;
}

/** Waits for the store. The outcome in the ledger is final: after an error here, the next reconcile tries again. */
async function finish(
  { logger, store }: UploadDependencies,
  locator: string,
  finishing: Promise<void>,
): Promise<void> {
  try {
    await finishing;
  } catch (error) {
    store.release(locator);
    logger.error(
      { err: error, locator },
      'could not commit or discard a body; the next reconcile tries again',
    );
  }
}
