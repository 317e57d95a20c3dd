import type { UploadDependencies } from '../uploads/dependencies.ts';
import type { UploadLedger } from '../uploads/ports.ts';
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
  const purging = await countPurging(ledger);
  const plan = { ...purging, uploads: new Array<ReturnType<typeof showUpload>>() };
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

async function countPurging(
  ledger: Pick<UploadLedger, 'listPurging'>,
): Promise<{ purged: number; bytes: number }> {
  const sum = { purged: 0, bytes: 0 };
  for (let after = 0; ;) {
    const bodies = await ledger.listPurging(after, BATCH);
    for (const { size } of bodies) {
      sum.purged += 1;
      sum.bytes += size;
    }
    const last = bodies.at(-1);
    if (last === undefined || bodies.length < BATCH) return sum;
    after = last.sequence;
  }
}
