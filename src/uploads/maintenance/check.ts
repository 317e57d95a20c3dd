import type { Clock } from '../../lib/clock.ts';
import { quoted } from '../../lib/quoted.ts';
import { allBodies } from '../list-all.ts';
import type { ExpectedBody, StoredBody, UploadLedger } from '../ports.ts';
import { StoreUnavailable } from '../unavailable.ts';
import { mergeByLocator, withoutPairing } from './pairs.ts';
import type { BodyInventory, FoundFile, LedgerMaintenance } from './ports.ts';

/**
 * Kinds of problems. `ledgerDamage`: the ledger is damaged or contradicts itself. `bytesMissing`, `bytesDiffer`: a
 * recorded upload has no bytes, or other bytes. `bodyWithoutRow`: a body without a row in the ledger. `strayFile`: an
 * entry that cannot be a body where only bodies should be.
 */
export type FindingKind =
  'ledgerDamage' | 'bytesMissing' | 'bytesDiffer' | 'bodyWithoutRow' | 'strayFile';

/** One problem. */
export interface Finding {
  readonly kind: FindingKind;
  readonly text: string;
  /** How it was repaired; undefined when it was not. */
  readonly repair: string | undefined;
}

/** What to check, and whether to repair. */
export interface CheckOptions {
  /** Reads every body and compares its digests. */
  readonly deep: boolean;
  /** Repairs what can be repaired. */
  readonly repair: boolean;
  readonly onFinding: (finding: Finding) => void;
  /** Receives how many bytes of uploads were checked, and how many were recorded at the start. */
  readonly onProgress: (done: number, total: number) => void;
}

/** The result of a check. */
export interface CheckReport {
  /** Number of stored and claimed uploads. */
  readonly uploads: number;
  /** Their size together, in bytes. */
  readonly bytes: number;
  readonly findings: number;
  /** Findings that were not repaired. */
  readonly left: number;
  /** Bodies that are coming in, and bodies that a crash has left for the next start. */
  readonly uncommitted: number;
  /** Bodies that the next purge deletes. */
  readonly purging: number;
  /** Uploads whose bytes were lost in a crash, and which the next start restores from the journals. */
  readonly restorable: number;
}

/** What a check works with. */
export interface CheckDependencies {
  readonly ledger: UploadLedger;
  readonly maintenance: Pick<LedgerMaintenance, 'findDamage'>;
  readonly inventory: BodyInventory;
  readonly clock: Clock;
  /** Locators of bodies that the next start restores from the journals. */
  readonly recoverable: ReadonlySet<string>;
  /** Repairs an entry of the store that the ledger does not know. */
  readonly giveUp: (file: FoundFile) => Promise<Repair>;
}

/** What has become of a problem that was to be repaired. */
export interface Repair {
  /** Undefined when it was not repaired. */
  readonly done: string | undefined;
  /** Why not; continues the text of the finding. */
  readonly failure?: string;
}

/** What is gathered while the two lists are compared. */
interface Progress {
  done: number;
  restorable: number;
  /** Whether the store remembers digests. A store that encrypts bodies may call something else their MD5. */
  knowsDigests: boolean;
}

/**
 * Compares the ledger with the bodies, and the bodies with the ledger. Servers may be running: each problem is checked
 * again, and is not a finding if a server has changed the upload or the body in between.
 * @throws StoreUnavailable when the store does not answer
 */
export async function check(deps: CheckDependencies, options: CheckOptions): Promise<CheckReport> {
  const count = { findings: 0, left: 0 };
  const onFinding = (finding: Finding): void => {
    count.findings += 1;
    if (finding.repair === undefined) count.left += 1;
    options.onFinding(finding);
  };
  for (const text of await deps.maintenance.findDamage()) {
    onFinding({ kind: 'ledgerDamage', text, repair: undefined });
  }
  const expected = await countUploads(deps);
  const { restorable } = await compare(deps, { ...options, onFinding }, expected.bytes);
  const uncommitted = await deps.inventory.countUncommitted();
  return { ...expected, ...count, uncommitted, restorable };
}

async function countUploads({
  ledger,
}: CheckDependencies): Promise<{ uploads: number; bytes: number; purging: number }> {
  const count = { uploads: 0, bytes: 0, purging: 0 };
  for await (const { size, state } of allBodies(ledger)) {
    if (state === 'purging') {
      count.purging += 1;
      continue;
    }
    count.uploads += 1;
    count.bytes += size;
  }
  return count;
}

async function compare(
  deps: CheckDependencies,
  options: CheckOptions,
  total: number,
): Promise<Progress> {
  const { inventory, ledger } = deps;
  const progress: Progress = { done: 0, restorable: 0, knowsDigests: true };
  options.onProgress(0, total);
  const findPairs = inventory.isSorted ? mergeByLocator : withoutPairing;
  for await (const { file, row } of findPairs(allBodies(ledger), inventory.listFiles())) {
    if (row === undefined) {
      await checkFile(deps, file, options);
      continue;
    }
    // The bytes of the others may be gone already.
    if (row.state === 'purging') continue;
    await checkUpload(deps, { row, file }, options, progress);
    progress.done += row.size;
    options.onProgress(progress.done, total);
  }
  return progress;
}

interface ListedBody {
  readonly row: ExpectedBody;
  /** As it was listed; absent: the list does not say. */
  readonly file: FoundFile | undefined;
}

async function checkUpload(
  deps: CheckDependencies,
  listed: ListedBody,
  { deep, onFinding, repair }: CheckOptions,
  progress: Progress,
): Promise<void> {
  const { row } = listed;
  const listing = readListing(listed, progress.knowsDigests);
  if (listing === 'right' && !deep) return;
  const isSuspect = listing === 'otherDigest';
  const problem = await findProblem(deps, row, deep || isSuspect);
  if (problem === undefined) {
    progress.knowsDigests &&= !isSuspect;
  } else if (deps.recoverable.has(row.locator)) {
    progress.restorable += 1;
  } else if (await isStillRecorded(deps, row)) {
    const isRepairable = repair && problem.kind === 'bytesMissing';
    onFinding({ ...problem, repair: isRepairable ? await deleteRow(deps, row) : undefined });
  }
}

/** What the list of the store says of a body. Only `right` is sure: the others may have changed since. */
function readListing(
  { file, row }: ListedBody,
  knowsDigests: boolean,
): 'right' | 'otherDigest' | 'unknown' {
  if (file?.size !== row.size) return 'unknown';
  const isSame = !knowsDigests || file.md5 === undefined || file.md5 === row.md5;
  return isSame ? 'right' : 'otherDigest';
}

/** What was measured of a body; it has digests only if the body was read. */
type Measured = Pick<StoredBody, 'size'> & Partial<StoredBody>;

async function findProblem(
  { inventory }: CheckDependencies,
  { crc64, key, locator, md5, size, state }: ExpectedBody,
  deep: boolean,
): Promise<Omit<Finding, 'repair'> | undefined> {
  const name = `${quoted(key)} (${state}, ${quoted(locator)})`;
  const differs = (how: string) => ({ kind: 'bytesDiffer', text: `${name} ${how}` }) as const;
  let found: Measured | undefined;
  try {
    found = deep ? await inventory.measure(locator) : await inventory.stat(locator);
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error;
    return differs(`cannot be read: ${quoted(String(error))}`);
  }
  if (found === undefined) return { kind: 'bytesMissing', text: `${name} has no bytes` };
  if (found.size !== size) return differs(`has ${found.size} bytes instead of ${size}`);
  if ((found.md5 ?? md5) !== md5 || (found.crc64 ?? crc64) !== crc64) {
    return differs(`has the MD5 ${found.md5 ?? ''} instead of ${md5}`);
  }
  return undefined;
}

/** Whether the ledger still has the upload with the same body; a running server may have purged or replaced it. */
async function isStillRecorded(
  { ledger }: CheckDependencies,
  { key, locator }: ExpectedBody,
): Promise<boolean> {
  const now = await ledger.findUpload(key);
  return now !== undefined && 'object' in now && now.object.locator === locator;
}

/**
 * Deletes an upload without bytes, so that it can be uploaded again. A claimed upload stays until its package is
 * deleted.
 */
async function deleteRow(
  { clock, ledger }: CheckDependencies,
  { key, locator, state }: ExpectedBody,
): Promise<string | undefined> {
  if (state === 'claimed') return undefined;
  const isDeleted = await ledger.deleteUpload(key, locator, clock.now());
  return isDeleted ? 'removed from the ledger' : undefined;
}

async function checkFile(
  deps: CheckDependencies,
  file: FoundFile,
  { onFinding, repair }: CheckOptions,
): Promise<void> {
  const { locator, path } = file;
  if (locator !== undefined && !(await isLost(deps, locator))) return;
  const kind = locator === undefined ? 'strayFile' : 'bodyWithoutRow';
  const text = `${quoted(path)} is ${locator === undefined ? 'not a body' : 'not in the ledger'}`;
  const { done, failure = '' } = repair ? await deps.giveUp(file) : { done: undefined };
  onFinding({ kind, text: text + failure, repair: done });
}

/**
 * Whether a body has no row, and is neither coming in nor being deleted. The order of the checks matters: a body gets
 * its row before it is committed, so a body that is not uncommitted and then still has no row will not get one.
 */
async function isLost({ inventory, ledger }: CheckDependencies, locator: string): Promise<boolean> {
  if (await ledger.hasBody(locator)) return false;
  if (await inventory.isUncommitted(locator)) return false;
  if (await ledger.hasBody(locator)) return false;
  return (await inventory.stat(locator)) !== undefined;
}
