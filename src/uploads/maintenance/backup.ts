import { forEachOf } from '../../lib/tasks.ts';
import { uploadsWithBytes } from '../list-all.ts';
import type { StoredBody, UploadLedger } from '../ports.ts';
import type { StoredObject } from '../upload.ts';
import type { BodyInventory, LedgerMaintenance } from './ports.ts';

/** What a backup works with. */
export interface BackupDependencies {
  readonly maintenance: Pick<LedgerMaintenance, 'copyTo'>;
  readonly inventory: Pick<BodyInventory, 'copyTo' | 'listJournaled'>;
  /** The folder to fill. */
  readonly folder: string;
  /** Opens the copied ledger. */
  readonly openCopy: () => UploadLedger;
  /** The bodies in the folder. */
  readonly copiedBodies: BodyInventory;
  /** Reads each copy and compares it with the ledger. Absent: only those whose originals may be incomplete. */
  readonly isReadBack?: boolean;
  /** How many bodies are copied at the same time. Absent: 1 */
  readonly atOnce?: number;
  /** Receives how many bytes are done, and how many there are. It may begin again. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
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
  const wrong = new Set<string>();
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const before = report.missing;
    await deps.maintenance.copyTo(deps.folder);
    report = await copyBodies(deps, { isFirst: round === 1, wrong });
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

interface Round {
  readonly isFirst: boolean;
  /** Locators of the copies that were read and differ. */
  readonly wrong: Set<string>;
}

async function copyBodies(deps: BackupDependencies, round: Round): Promise<BackupReport> {
  const { atOnce = 1, inventory, onProgress, openCopy, signal } = deps;
  // The files of these bodies may be incomplete after a power cut, until the next start restores them.
  const suspects = await inventory.listJournaled();
  const copy = openCopy();
  try {
    const { claimed, stored } = await copy.countUploads();
    const total = claimed.bytes + stored.bytes;
    const report = { uploads: 0, bytes: 0 };
    const [missing, differing] = [new Array<string>(), new Array<string>()];
    onProgress?.(0, total);
    await forEachOf(uploadsWithBytes(copy), atOnce, async ({ key, object }) => {
      signal?.throwIfAborted();
      const outcome = await copyBody(deps, object, { ...round, suspects });
      if (outcome === 'missing') missing.push(key);
      if (outcome === 'differing') differing.push(key);
      report.uploads += 1;
      report.bytes += object.size;
      onProgress?.(report.bytes, total);
    });
    return { ...report, missing: missing.sort(), differing: differing.sort() };
  } finally {
    await copy.close();
  }
}

async function copyBody(
  { copiedBodies, folder, inventory, isReadBack = false }: BackupDependencies,
  object: StoredObject,
  { isFirst, suspects, wrong }: Round & { readonly suspects: ReadonlySet<string> },
): Promise<'right' | 'differing' | 'missing'> {
  const { locator, size } = object;
  const wasRead = isReadBack && !isFirst && (await copiedBodies.stat(locator)) !== undefined;
  if (!(await inventory.copyTo(folder, locator))) return 'missing';
  if (!wasRead) {
    const isSame =
      isReadBack || suspects.has(locator)
        ? isSameBody(await copiedBodies.measure(locator), object)
        : (await copiedBodies.stat(locator))?.size === size;
    if (isSame) wrong.delete(locator);
    else wrong.add(locator);
  }
  return wrong.has(locator) ? 'differing' : 'right';
}

function isSameBody(found: StoredBody | undefined, { crc64, md5, size }: StoredObject): boolean {
  return found?.size === size && found.md5 === md5 && found.crc64 === crc64;
}
