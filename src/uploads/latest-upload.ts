import type { UploadLedger } from './ports.ts';
import type { Upload } from './upload.ts';

type KeyLedger = Pick<UploadLedger, 'findUpload' | 'findPurged'>;

/** @returns the upload that holds a key, or else the last one that held it */
export async function findLatestUpload(
  ledger: KeyLedger,
  key: string,
): Promise<Upload | undefined> {
  return (await ledger.findUpload(key)) ?? (await ledger.findPurged(key));
}

/**
 * Finds which of the keys that a URL may mean has an upload in the ledger, or has had one.
 * @param keys - see `keysOfPath`
 * @returns the first such key; the last key when there is none
 */
export async function findKnownKey(
  ledger: KeyLedger,
  [key, ...others]: readonly [string, ...string[]],
): Promise<string> {
  const [next, ...rest] = others;
  if (next === undefined) return key;
  const upload = await findLatestUpload(ledger, key);
  return upload === undefined ? findKnownKey(ledger, [next, ...rest]) : key;
}
