import { hasErrorCode } from '../lib/errno.ts';
import type { UploadDependencies } from './dependencies.ts';
import type { StoredBody, StoreOutcome } from './ports.ts';
import type { StoredObject } from './upload.ts';

/** A body that a judged request may store. */
export interface ReceiveRequest {
  readonly key: string;
  /** Response headers to replay when the object is read, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly forbidOverwrite: boolean;
  /** How many bytes there will be at most, as far as that is known. */
  readonly announcedSize?: number | undefined;
  /** The bytes; an error it throws (a refusal, a lost client) undoes the upload and is rethrown. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export type ReceiveOutcome =
  | { readonly kind: 'stored'; readonly object: StoredObject }
  | { readonly kind: Exclude<StoreOutcome, 'stored'> }
  /** There is no room for it; nothing is left of it. */
  | { readonly kind: 'full' };

/**
 * Says whether a key may take a body now. The ledger asks again when the body is there,
 * because it may stream for minutes.
 */
async function findRefusal(
  deps: UploadDependencies,
  request: Pick<ReceiveRequest, 'key' | 'forbidOverwrite'>,
): Promise<Exclude<StoreOutcome, 'stored'> | undefined> {
  const upload = await deps.ledger.findUpload(request.key);
  if (upload?.state === 'claimed') return 'immutable';
  if (upload?.state === 'stored' && request.forbidOverwrite) return 'exists';
  return undefined;
}

/** Stores a body under its key: durable bytes first, then the row, then the answer. */
export async function receiveUpload(
  deps: UploadDependencies,
  request: ReceiveRequest,
): Promise<ReceiveOutcome> {
  const leave = deps.activeUploads.begin(request.key);
  try {
    const refusal = await findRefusal(deps, request);
    if (refusal !== undefined) return { kind: refusal };
    const locator = deps.ids.locator();
    const body = await deps.store.put(locator, request.bytes, request.announcedSize);
    return await recordBody(deps, request, locator, body);
  } catch (error) {
    if (!FULL.some((code) => hasErrorCode(error, code))) throw error;
    deps.logger.error({ err: error, key: request.key }, 'there is no room for an upload');
    return { kind: 'full' };
  } finally {
    leave();
  }
}

/** How a disk, a quota of one, and the ledger say that they are full. */
const FULL = ['ENOSPC', 'EDQUOT', 'SQLITE_FULL'];

async function recordBody(
  deps: UploadDependencies,
  request: ReceiveRequest,
  locator: string,
  body: StoredBody,
): Promise<ReceiveOutcome> {
  const { clock, ledger, observer, store } = deps;
  const object = { locator, ...body, storedAt: clock.now(), headers: request.headers };
  const { key, forbidOverwrite } = request;
  let outcome: StoreOutcome;
  try {
    outcome = await ledger.recordStored({ key, object, forbidOverwrite });
  } catch (error) {
    // Whether the row was written is for `reconcile` to find out.
    store.release(locator);
    throw error;
  }
  await tidy(deps, locator, outcome === 'stored' ? store.commit(locator) : store.discard(locator));
  if (outcome !== 'stored') return { kind: outcome };
  observer.stored?.(key, object);
  return { kind: 'stored', object };
}

/** What the ledger has decided stands; what cannot be tidied up now is for `reconcile`. */
async function tidy(
  { logger, store }: UploadDependencies,
  locator: string,
  tidying: Promise<void>,
): Promise<void> {
  try {
    await tidying;
  } catch (error) {
    store.release(locator);
    logger.error({ err: error, locator }, 'could not tidy up after an upload');
  }
}
