import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { PurgeShape } from './shapes.ts';
import { showUpload } from './show.ts';

const BATCH = 1000;
/** How many uploads a plan names. */
const MAX_NAMED = 100;

/** Finds what the purge would delete now, without changing anything. */
export async function planPurge({
  clock,
  ledger,
  rules,
}: Pick<UploadDependencies, 'clock' | 'ledger' | 'rules'>): Promise<PurgeShape> {
  const { purging } = await ledger.countUploads();
  const uploads = new Array<ReturnType<typeof showUpload>>();
  const plan = { purged: purging.count, bytes: purging.bytes, uploads };
  const storedBefore = clock.now() - rules.claimTtl;
  for (let beforeSequence = Number.MAX_SAFE_INTEGER; ;) {
    const found = await ledger.findUploads({ storedBefore, beforeSequence, limit: BATCH });
    const { searchedTo, uploads: due } = found;
    for (const { upload } of due) {
      plan.purged += 1;
      plan.bytes += 'object' in upload ? upload.object.size : 0;
      if (plan.uploads.length < MAX_NAMED) plan.uploads.push(showUpload(upload, rules.claimTtl));
    }
    const last = due.length < BATCH ? searchedTo : due.at(-1)?.sequence;
    if (last === undefined) break;
    beforeSequence = last;
  }
  return { dryRun: true, failed: 0, ...plan };
}
