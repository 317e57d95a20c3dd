import type { BodyInventory, LedgerUpkeep, UploadLedger } from '../ports.ts';
import { allUploads } from './survey.ts';

/** Where a copy is made, and what it is made of. */
export interface BackUpParts {
  readonly upkeep: LedgerUpkeep;
  readonly inventory: BodyInventory;
  /** The folder that is being filled. */
  readonly folder: string;
  /** Opens the ledger of the folder. */
  readonly openCopy: () => UploadLedger;
  readonly copiedBodies: BodyInventory;
}

/** What was copied. */
export interface BackUpReport {
  readonly uploads: number;
  readonly bytes: number;
  /** Keys of uploads that are on record without bytes, in the original already. */
  readonly missing: readonly string[];
}

const MOST_ROUNDS = 20;

/**
 * Fills a folder with a ledger and the bodies that it has on record, while a server goes on working. The ledger is
 * copied first; a body that was purged before its copy could be made is on record in that copy, so the ledger is
 * copied again, until everything on record is there. Bodies copied by then are kept from round to round.
 */
export async function backUp(parts: BackUpParts): Promise<BackUpReport> {
  let report: BackUpReport = { uploads: 0, bytes: 0, missing: [] };
  for (let round = 1; round <= MOST_ROUNDS; round += 1) {
    const before = report.missing;
    await parts.upkeep.copyTo(parts.folder);
    report = await copyBodies(parts);
    const same = report.missing.join() === before.join();
    // Missing twice in a row, they are not being purged, but lost.
    if (report.missing.length === 0 || (round > 1 && same)) break;
  }
  const copy = parts.openCopy();
  try {
    await parts.copiedBodies.keepOnly((locator) => copy.holds(locator));
  } finally {
    await copy.close();
  }
  return report;
}

async function copyBodies({ folder, inventory, openCopy }: BackUpParts): Promise<BackUpReport> {
  const copy = openCopy();
  try {
    const report = { uploads: 0, bytes: 0, missing: new Array<string>() };
    for await (const upload of allUploads(copy)) {
      if (upload.state !== 'stored' && upload.state !== 'claimed') continue;
      const isThere = await inventory.copyTo(folder, upload.object.locator);
      if (!isThere) report.missing.push(upload.key);
      report.uploads += 1;
      report.bytes += upload.object.size;
    }
    return report;
  } finally {
    await copy.close();
  }
}
