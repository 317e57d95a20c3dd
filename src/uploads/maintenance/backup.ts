import { allUploads } from '../list-all.ts';
import type { UploadLedger } from '../ports.ts';
import type { StoredObject } from '../upload.ts';
import type { BodyInventory, LedgerMaintenance } from './ports.ts';

/** Where a copy is made, and what it is made of. */
export interface BackupDependencies {
  readonly maintenance: LedgerMaintenance;
  readonly inventory: BodyInventory;
  /** The folder that is being filled. */
  readonly folder: string;
  /** Opens the ledger of the folder. */
  readonly openCopy: () => UploadLedger;
  readonly copiedBodies: BodyInventory;
  /** Ends it early, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What was copied. */
export interface BackupReport {
  readonly uploads: number;
  readonly bytes: number;
  /** Keys of uploads that are on record without bytes, in the original already. */
  readonly missing: readonly string[];
  /** Keys of uploads whose bytes are not those that were stored. They were copied as they are. */
  readonly differing: readonly string[];
}

const MOST_ROUNDS = 20;

/**
 * Fills a folder with a ledger and the bodies that it has on record, while a server goes on working. The ledger is
 * copied first; a body that was purged before its copy could be made is on record in that copy, so the ledger is
 * copied again, until everything on record is there. Bodies copied by then are kept from round to round.
 */
export async function backUp(deps: BackupDependencies): Promise<BackupReport> {
  let report: BackupReport = { uploads: 0, bytes: 0, missing: [], differing: [] };
  for (let round = 1; round <= MOST_ROUNDS; round += 1) {
    const before = report.missing;
    await deps.maintenance.copyTo(deps.folder);
    report = await copyBodies(deps);
    const same = report.missing.join() === before.join();
    // Missing twice in a row, they are not being purged, but lost.
    if (report.missing.length === 0 || (round > 1 && same)) break;
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
  // Of these a server that was killed may have left less than it seems, until the next one has restored them.
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

/** Compares the size of a copy with the ledger, and the digest of one that is suspected. */
async function isWhole(
  { copiedBodies }: BackupDependencies,
  { locator, md5, size }: StoredObject,
  suspects: ReadonlySet<string>,
): Promise<boolean> {
  if (!suspects.has(locator)) return (await copiedBodies.stat(locator))?.size === size;
  const measured = await copiedBodies.measure(locator);
  return measured?.size === size && measured.md5 === md5;
}
