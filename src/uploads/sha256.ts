import type { UploadDependencies } from './dependencies.ts';
import type { StoredObject } from './upload.ts';

/**
 * The SHA-256 of a stored body: from the ledger, or computed from its file and then kept in the ledger.
 * @returns lower-case hexadecimal, or undefined when the body is gone
 */
export async function sha256Of(
  deps: UploadDependencies,
  object: StoredObject,
): Promise<string | undefined> {
  if (object.sha256 !== undefined) return object.sha256;
  const sha256 = await deps.store.digest(object.locator, 'sha256');
  if (sha256 !== undefined) await deps.ledger.recordSha256(object.locator, sha256);
  return sha256;
}

/** Starts computing a SHA-256 that the next claim may ask for; the claim itself does it when this fails. */
export function prepareSha256(deps: UploadDependencies, object: StoredObject): void {
  sha256Of(deps, object).catch((error: unknown) => {
    deps.logger.warn({ err: error, locator: object.locator }, 'could not prepare a SHA-256');
  });
}
