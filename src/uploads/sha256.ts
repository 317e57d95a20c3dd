import type { UploadDependencies } from './dependencies.ts';
import type { StoredObject } from './upload.ts';

/**
 * Reads the SHA-256 of a stored body from the ledger, or computes it from the body and records it.
 * @returns lower-case hexadecimal, or undefined when the body was deleted
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

/** Starts to compute a SHA-256 that a later claim may need. If this fails, the claim computes it. */
export function prepareSha256(deps: UploadDependencies, object: StoredObject): void {
  sha256Of(deps, object).catch((error: unknown) => {
    deps.logger.warn(
      { err: error, locator: object.locator },
      'could not compute a SHA-256 in advance',
    );
  });
}
