import { forEachOf } from '../../lib/tasks.ts';
import { quoted } from '../../lib/quoted.ts';
import { uploadsWithBytes } from '../list-all.ts';
import type { StoredBody, UploadLedger } from '../ports.ts';
import type { StoredObject } from '../upload.ts';
import type { BodyInventory } from './ports.ts';

/** A store that takes the bodies of a data folder. */
export interface BodyImporter {
  /**
   * Copies a body, which the store must not have yet.
   * @returns what was sent; undefined when the folder has no such body
   */
  copyFrom(dataDir: string, locator: string): Promise<StoredBody | undefined>;
  /** Compares a body of the store with what it should be, and reads it if that is the only way. */
  compare(
    dataDir: string,
    locator: string,
    body: StoredBody,
  ): Promise<'same' | 'different' | 'absent'>;
  close(): Promise<void>;
}

/** What the copy of bodies works with. */
export interface CopyBodiesDependencies {
  readonly dataDir: string;
  readonly ledger: Pick<UploadLedger, 'listUploads' | 'countUploads'>;
  readonly inventory: Pick<BodyInventory, 'measure'>;
  readonly importer: Pick<BodyImporter, 'copyFrom' | 'compare'>;
  /** When aborted, the copy throws the signal's reason; the next one goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Receives how many bytes are done, and how many there are. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What was copied. */
export interface CopiedBodies {
  /** Stored and claimed uploads. */
  readonly uploads: number;
  readonly bytes: number;
  /** Bodies that this call has copied; the store had the others. */
  readonly copied: number;
  /** Keys of uploads whose bytes are missing in the folder, too. */
  readonly missing: readonly string[];
  /** Keys of uploads whose bytes in the folder differ from those that were stored. They are copied unchanged. */
  readonly differing: readonly string[];
}

/** Small bodies wait for the store most of the time. */
const AT_ONCE = 8;

/**
 * Copies the bodies of all stored and claimed uploads into a store, and compares each with the digests of the ledger. A
 * body that the store has already is kept, so the copy can be stopped at any moment and begun again. The bodies that the
 * next purge deletes are left out.
 * @throws when the store has another body under the name of one of them
 */
export async function copyBodies(deps: CopyBodiesDependencies): Promise<CopiedBodies> {
  const { ledger, onProgress, signal } = deps;
  const { claimed, stored } = await ledger.countUploads();
  const total = claimed.bytes + stored.bytes;
  const found = { uploads: 0, bytes: 0, copied: 0 };
  const [missing, differing] = [new Array<string>(), new Array<string>()];
  onProgress?.(0, total);
  await forEachOf(uploadsWithBytes(ledger), AT_ONCE, async ({ key, object }) => {
    signal?.throwIfAborted();
    const outcome = await copyBody(deps, object);
    found.uploads += 1;
    found.bytes += object.size;
    if (outcome.isCopied) found.copied += 1;
    if (outcome.state === 'missing') missing.push(key);
    if (outcome.state === 'differing') differing.push(key);
    onProgress?.(found.bytes, total);
  });
  return { ...found, missing: missing.sort(), differing: differing.sort() };
}

interface Outcome {
  readonly state: 'right' | 'differing' | 'missing';
  /** By this call. */
  readonly isCopied: boolean;
}

async function copyBody(
  { dataDir, importer, inventory }: CopyBodiesDependencies,
  object: StoredObject,
): Promise<Outcome> {
  const { locator } = object;
  const before = await importer.compare(dataDir, locator, object);
  if (before === 'same') return { state: 'right', isCopied: false };
  if (before === 'different') {
    // The folder may have the same wrong bytes, which an earlier call has copied.
    const own = await inventory.measure(locator);
    if (own && (await importer.compare(dataDir, locator, own)) === 'same') {
      return { state: 'differing', isCopied: false };
    }
    throw new Error(
      `the store has another body under the name ${quoted(locator)}, which is not replaced: ` +
        'give a prefix that nothing else uses',
    );
  }
  const sent = await importer.copyFrom(dataDir, locator);
  if (sent === undefined) return { state: 'missing', isCopied: false };
  if ((await importer.compare(dataDir, locator, sent)) !== 'same') {
    throw new Error(`the store has not kept the body ${quoted(locator)} as it was sent`);
  }
  return { state: isSame(sent, object) ? 'right' : 'differing', isCopied: true };
}

function isSame(sent: StoredBody, { crc64, md5, sha256, size }: StoredBody): boolean {
  const hasSameSha256 = sha256 === undefined || sent.sha256 === sha256;
  return sent.size === size && sent.md5 === md5 && sent.crc64 === crc64 && hasSameSha256;
}
