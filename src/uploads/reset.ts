import type { UploadParts } from './dependencies.ts';
import { allPackages, allUploads } from './list-all.ts';
import { purgeUnclaimed } from './purge.ts';

const BATCH = 1000;
/** Later than any time. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** Deletes every package and every upload, and forgets that they were there. For tests. */
export async function forgetEverything(parts: UploadParts): Promise<void> {
  const { clock, inTransit, ledger } = parts;
  const now = clock.now();
  for (const { accountId, id } of await allPackages(ledger)) {
    await ledger.deletePackage(accountId, id, now);
  }
  for await (const upload of allUploads(ledger)) {
    if (upload.state === 'stored')
      await ledger.deleteUpload(upload.key, upload.object.locator, now);
  }
  await purgeUnclaimed(parts);
  while ((await ledger.pruneIssued(NEVER, inTransit.list(), BATCH)) === BATCH);
  while ((await ledger.pruneTombstones(NEVER, BATCH)) === BATCH);
}
