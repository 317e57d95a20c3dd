import type { Clock } from '../../lib/clock.ts';
import { quoted } from '../../lib/quoted.ts';
import { allUploads } from '../list-all.ts';
import type { StoredBody, UploadLedger } from '../ports.ts';
import type { ClaimedUpload, StoredUpload } from '../upload.ts';
import type { BodyInventory, LedgerMaintenance } from './ports.ts';

/**
 * What does not fit. `ledgerDamage`: the ledger contradicts itself. `bytesMissing`, `bytesDiffer`: an upload that is
 * on record has no bytes, or others. `bodyWithoutRow`: bytes that are not on record. `strayFile`: a file where only
 * bodies should be.
 */
export type FindingKind =
  'ledgerDamage' | 'bytesMissing' | 'bytesDiffer' | 'bodyWithoutRow' | 'strayFile';

/** One thing that does not fit. */
export interface Finding {
  readonly kind: FindingKind;
  readonly text: string;
  /** What was done about it; undefined when nothing was. */
  readonly repair: string | undefined;
}

/** What to look at and what to do. */
export interface CheckOptions {
  /** Read every body and compare its digests. */
  readonly deep: boolean;
  /** Mend what can be mended; nobody else may be working on the data folder. */
  readonly repair: boolean;
  readonly onFinding: (finding: Finding) => void;
  /** Is told how many bytes of uploads were looked at, and how many were on record at the start. */
  readonly onProgress: (done: number, total: number) => void;
}

/** What was looked at. */
export interface CheckReport {
  /** Uploads that are stored or claimed. */
  readonly uploads: number;
  /** Bytes that they have. */
  readonly bytes: number;
  readonly findings: number;
  /** Findings that are still there. */
  readonly left: number;
  /** Bodies on their way in, and ones that a crash has left for the next start. */
  readonly uncommitted: number;
  /** Bodies that the next purge deletes. */
  readonly purging: number;
  /** Uploads whose bytes a crash has taken, and the next start gives back from the journals. */
  readonly restorable: number;
}

/** What a check works with. */
export interface CheckDependencies {
  readonly ledger: UploadLedger;
  readonly maintenance: LedgerMaintenance;
  readonly inventory: BodyInventory;
  readonly clock: Clock;
  /** Bodies that the next start writes anew, whatever has become of their files. */
  readonly recoverable: ReadonlySet<string>;
}

/**
 * Compares ledger and bodies, both ways. A server may go on working meanwhile: whatever moves while it is looked at
 * is looked at again, and is no finding.
 */
export async function check(deps: CheckDependencies, options: CheckOptions): Promise<CheckReport> {
  const count = { findings: 0, left: 0 };
  const tell = (finding: Finding): void => {
    count.findings += 1;
    if (finding.repair === undefined) count.left += 1;
    options.onFinding(finding);
  };
  for (const text of await deps.maintenance.findDamage()) {
    tell({ kind: 'ledgerDamage', text, repair: undefined });
  }
  const expected = await countUploads(deps);
  const restorable = await checkUploads(deps, { ...options, onFinding: tell }, expected.bytes);
  await checkFiles(deps, { ...options, onFinding: tell });
  const uncommitted = await deps.inventory.countUncommitted();
  return { ...expected, ...count, uncommitted, restorable };
}

async function countUploads({
  ledger,
}: CheckDependencies): Promise<{ uploads: number; bytes: number; purging: number }> {
  const count = { uploads: 0, bytes: 0, purging: 0 };
  for await (const upload of allUploads(ledger)) {
    if (upload.state === 'purging') count.purging += 1;
    if (upload.state !== 'stored' && upload.state !== 'claimed') continue;
    count.uploads += 1;
    count.bytes += upload.object.size;
  }
  return count;
}

type UploadWithBytes = StoredUpload | ClaimedUpload;

/** @returns how many uploads the next start restores */
async function checkUploads(
  deps: CheckDependencies,
  { deep, repair, onFinding, onProgress }: CheckOptions,
  total: number,
): Promise<number> {
  let done = 0;
  let restorable = 0;
  onProgress(0, total);
  for await (const upload of allUploads(deps.ledger)) {
    if (upload.state !== 'stored' && upload.state !== 'claimed') continue;
    const fault = await findFault(deps, upload, deep);
    if (fault !== undefined && deps.recoverable.has(upload.object.locator)) {
      restorable += 1;
    } else if (fault !== undefined && (await isStillThere(deps, upload))) {
      const mended = repair && fault.kind === 'bytesMissing';
      onFinding({ ...fault, repair: mended ? await giveUp(deps, upload) : undefined });
    }
    done += upload.object.size;
    onProgress(done, total);
  }
  return restorable;
}

/** What was measured of a body: its digests, too, when it was read. */
type Found = Pick<StoredBody, 'size'> & Partial<StoredBody>;

async function findFault(
  { inventory }: CheckDependencies,
  { key, object, state }: UploadWithBytes,
  deep: boolean,
): Promise<Omit<Finding, 'repair'> | undefined> {
  const { locator, size, md5, crc64 } = object;
  const name = `${quoted(key)} (${state}, ${quoted(locator)})`;
  const differs = (how: string) => ({ kind: 'bytesDiffer', text: `${name} ${how}` }) as const;
  let found: Found | undefined;
  try {
    found = deep ? await inventory.measure(locator) : await inventory.stat(locator);
  } catch (error) {
    return differs(`cannot be read: ${quoted(String(error))}`);
  }
  if (found === undefined) return { kind: 'bytesMissing', text: `${name} has no bytes` };
  if (found.size !== size) return differs(`has ${found.size} bytes instead of ${size}`);
  if ((found.md5 ?? md5) !== md5 || (found.crc64 ?? crc64) !== crc64) {
    return differs(`has the MD5 ${found.md5 ?? ''} instead of ${md5}`);
  }
  return undefined;
}

/** Whether the ledger still says what it said, so that the upload was not purged under our eyes. */
async function isStillThere(
  { ledger }: CheckDependencies,
  upload: UploadWithBytes,
): Promise<boolean> {
  const now = await ledger.findUpload(upload.key);
  return now !== undefined && 'object' in now && now.object.locator === upload.object.locator;
}

/** An upload that nobody has claimed can be uploaded again; a package must be deleted by who has made it. */
async function giveUp(
  { clock, ledger }: CheckDependencies,
  { key, object, state }: UploadWithBytes,
): Promise<string | undefined> {
  if (state === 'claimed') return undefined;
  const deleted = await ledger.deleteUpload(key, object.locator, clock.now());
  return deleted ? 'taken off the record' : undefined;
}

async function checkFiles(
  deps: CheckDependencies,
  { repair, onFinding }: Pick<CheckOptions, 'repair' | 'onFinding'>,
): Promise<void> {
  for await (const { locator, path } of deps.inventory.listFiles()) {
    if (locator !== undefined && !(await isLost(deps, locator))) continue;
    const kind = locator === undefined ? 'strayFile' : 'bodyWithoutRow';
    const text = `${quoted(path)} is ${locator === undefined ? 'no body' : 'not on record'}`;
    if (!repair) {
      onFinding({ kind, text, repair: undefined });
      continue;
    }
    try {
      const moved = await deps.inventory.setAside(path);
      onFinding({ kind, text, repair: `moved to ${quoted(moved)}` });
    } catch (error) {
      const why = `${text}, and could not be moved: ${quoted(String(error))}`;
      onFinding({ kind, text: why, repair: undefined });
    }
  }
}

/**
 * Whether a body is on no record, and not just on its way in or out. In that order: a body is on record before it
 * is committed, so one that is neither now and was not before is not coming any more.
 */
async function isLost({ inventory, ledger }: CheckDependencies, locator: string): Promise<boolean> {
  if (await ledger.hasBody(locator)) return false;
  if (await inventory.isUncommitted(locator)) return false;
  if (await ledger.hasBody(locator)) return false;
  return (await inventory.stat(locator)) !== undefined;
}
