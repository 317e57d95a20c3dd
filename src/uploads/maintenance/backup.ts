import { allUploads } from '../list-all.ts';
import type { UploadLedger } from '../ports.ts';
import type { StoredObject } from '../upload.ts';
import type { BodyInventory, LedgerMaintenance } from './ports.ts';

/** What a backup works with. */
export interface BackupDependencies {
  readonly maintenance: LedgerMaintenance;
  readonly inventory: BodyInventory;
  /** The folder to fill. */
  readonly folder: string;
  /** Opens the copied ledger. */
  readonly openCopy: () => UploadLedger;
  /** The bodies in the folder. */
  readonly copiedBodies: BodyInventory;
  /** When aborted, the backup throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What was copied. */
export interface BackupReport {
  readonly uploads: number;
  readonly bytes: number;
  /** Keys of uploads whose bytes are missing, also in the original. */
  readonly missing: readonly string[];
  /** Keys of uploads whose bytes differ from those that were stored. They are copied unchanged. */
  readonly differing: readonly string[];
}

const MAX_ROUNDS = 20;

/**
 * Copies a ledger and its bodies into a folder, while a server may be running. The ledger is copied first. If a body
 * was purged before it could be copied, the copied ledger still has its row, so the ledger is copied again until no
 * body is missing. Bodies that were copied in an earlier round are kept.
 */
export async function backUp(deps: BackupDependencies): Promise<BackupReport> {
  let report: BackupReport = { uploads: 0, bytes: 0, missing: [], differing: [] };
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const before = report.missing;
    await deps.maintenance.copyTo(deps.folder);
    report = await copyBodies(deps);
    const isSame = report.missing.join() === before.join();
    // Bodies that are missing in two rounds were not purged in between: they are lost.
    if (report.missing.length === 0 || (round > 1 && isSame)) break;
  }
  const copy = deps.openCopy();
  try {
    await deps.copiedBodies.keepOnly((locator) => copy.hasBody(locator));
  } finally {
    await copy.close();
  }
  return report;
}

async function copyBodies(deps: BackupDependencies): Promise<BackupReport> {
  const { folder, inventory, openCopy, signal } = deps;
  // The files of these bodies may be incomplete after a power cut, until the next start restores them.
  const suspects = await inventory.listJournaled();
  const copy = openCopy();
  try {
    const report = { uploads: 0, bytes: 0, missing: new Array<string>() };
    const differing: string[] = [];
    for await (const upload of allUploads(copy)) {
      signal?.throwIfAborted();
      if (upload.state !== 'stored' && upload.state !== 'claimed') continue;
      const { key, object } = upload;
      report.uploads += 1;
      report.bytes += object.size;
      if (!(await inventory.copyTo(folder, object.locator))) report.missing.push(key);
      else if (!(await isWhole(deps, object, suspects))) differing.push(key);
    }
    return { ...report, differing };
  } finally {
    await copy.close();
  }
}

/** Compares the size of a copy with the ledger; for suspects also the MD5. */
async function isWhole(
  { copiedBodies }: BackupDependencies,
  { locator, md5, size }: StoredObject,
  suspects: ReadonlySet<string>,
): Promise<boolean> {
  if (!suspects.has(locator)) return (await copiedBodies.stat(locator))?.size === size;
  const measured = await copiedBodies.measure(locator);
  return measured?.size === size && measured.md5 === md5;
}
