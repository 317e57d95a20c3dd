import type { UploadDependencies } from './dependencies.ts';
import { allPackages, allUploads } from './list-all.ts';
import { purgeUnclaimed } from './purge-bodies.ts';

const BATCH = 1000;
/** Later than any time. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** Deletes every package and every upload, including tombstones. For tests. */
export async function forgetEverything(deps: UploadDependencies): Promise<void> {
  const { clock, activeUploads, ledger } = deps;
  // A body that is still received belongs to what is removed.
  await activeUploads.cancelAll();
  const now = clock.now();
  for (const { accountId, id } of await allPackages(ledger)) {
    await ledger.deletePackage(accountId, id, now);
  }
  for await (const upload of allUploads(ledger)) {
    if (upload.state === 'stored')
      await ledger.deleteUpload(upload.key, upload.object.locator, now);
  }
  await purgeUnclaimed(deps);
  while ((await ledger.pruneIssued(NEVER, BATCH)) === BATCH);
  while ((await ledger.pruneTombstones(NEVER, BATCH)) === BATCH);
}
