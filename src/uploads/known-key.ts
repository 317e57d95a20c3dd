import type { UploadLedger } from './ports.ts';

/**
 * Finds which of the keys that a URL may mean has an upload in the ledger, or has had one.
 * @param keys - see `keysOfPath`
 * @returns the first such key; the last key when there is none
 */
export async function findKnownKey(
  ledger: Pick<UploadLedger, 'findUpload' | 'findPurged'>,
  [key, ...others]: readonly [string, ...string[]],
): Promise<string> {
  const [next, ...rest] = others;
  if (next === undefined) return key;
  const upload = (await ledger.findUpload(key)) ?? (await ledger.findPurged(key));
  return upload === undefined ? findKnownKey(ledger, [next, ...rest]) : key;
}
