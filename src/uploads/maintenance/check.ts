import type { Clock } from '../../lib/clock.ts';
import { quoted } from '../../lib/quoted.ts';
import { allUploads } from '../list-all.ts';
import type { StoredBody, UploadLedger } from '../ports.ts';
import type { ClaimedUpload, StoredUpload } from '../upload.ts';
import type { BodyInventory, LedgerMaintenance } from './ports.ts';

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
  /** Repairs what can be repaired. No other process may use the data folder. */
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
  readonly maintenance: LedgerMaintenance;
  readonly inventory: BodyInventory;
  readonly clock: Clock;
  /** Locators of bodies that the next start restores from the journals. */
  readonly recoverable: ReadonlySet<string>;
}

/**
 * Compares the ledger with the bodies, and the bodies with the ledger. A server may be running: each problem is checked
 * again, and is not a finding if the server has changed the upload or the body in between.
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
  const restorable = await checkUploads(deps, { ...options, onFinding }, expected.bytes);
  await checkFiles(deps, { ...options, onFinding });
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

/** @returns the number of uploads that the next start restores */
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
    const problem = await findProblem(deps, upload, deep);
    if (problem !== undefined && deps.recoverable.has(upload.object.locator)) {
      restorable += 1;
    } else if (problem !== undefined && (await isStillRecorded(deps, upload))) {
      const isRepairable = repair && problem.kind === 'bytesMissing';
      onFinding({ ...problem, repair: isRepairable ? await deleteRow(deps, upload) : undefined });
    }
    done += upload.object.size;
    onProgress(done, total);
  }
  return restorable;
}

/** What was measured of a body; it has digests only if the body was read. */
type Measured = Pick<StoredBody, 'size'> & Partial<StoredBody>;

async function findProblem(
  { inventory }: CheckDependencies,
  { key, object, state }: UploadWithBytes,
  deep: boolean,
): Promise<Omit<Finding, 'repair'> | undefined> {
  const { locator, size, md5, crc64 } = object;
  const name = `${quoted(key)} (${state}, ${quoted(locator)})`;
  const differs = (how: string) => ({ kind: 'bytesDiffer', text: `${name} ${how}` }) as const;
  let found: Measured | undefined;
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

/** Whether the ledger still has the upload with the same body; a running server may have purged or replaced it. */
async function isStillRecorded(
  { ledger }: CheckDependencies,
  upload: UploadWithBytes,
): Promise<boolean> {
  const now = await ledger.findUpload(upload.key);
  return now !== undefined && 'object' in now && now.object.locator === upload.object.locator;
}

/**
 * Deletes an upload without bytes, so that it can be uploaded again. A claimed upload stays until its package is
 * deleted.
 */
async function deleteRow(
  { clock, ledger }: CheckDependencies,
  { key, object, state }: UploadWithBytes,
): Promise<string | undefined> {
  if (state === 'claimed') return undefined;
  const isDeleted = await ledger.deleteUpload(key, object.locator, clock.now());
  return isDeleted ? 'removed from the ledger' : undefined;
}

async function checkFiles(
  deps: CheckDependencies,
  { repair, onFinding }: Pick<CheckOptions, 'repair' | 'onFinding'>,
): Promise<void> {
  for await (const { locator, path } of deps.inventory.listFiles()) {
    if (locator !== undefined && !(await isLost(deps, locator))) continue;
    const kind = locator === undefined ? 'strayFile' : 'bodyWithoutRow';
    const text = `${quoted(path)} is ${locator === undefined ? 'not a body' : 'not in the ledger'}`;
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
 * Whether a body has no row, and is neither coming in nor being deleted. The order of the checks matters: a body gets
 * its row before it is committed, so a body that is not uncommitted and then still has no row will not get one.
 */
async function isLost({ inventory, ledger }: CheckDependencies, locator: string): Promise<boolean> {
  if (await ledger.hasBody(locator)) return false;
  if (await inventory.isUncommitted(locator)) return false;
  if (await ledger.hasBody(locator)) return false;
  return (await inventory.stat(locator)) !== undefined;
}
