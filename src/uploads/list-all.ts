import type { FirmwarePackage } from './firmware-package.ts';
import type { UploadLedger } from './ports.ts';
import type { Upload } from './upload.ts';

const BATCH = 256;
const PAGE = 100;

/** Reads every upload, oldest first, including tombstones. */
export async function* allUploads(
  ledger: Pick<UploadLedger, 'listUploads'>,
): AsyncGenerator<Upload, void, undefined> {
  let last = 0;
  for (;;) {
    const batch = await ledger.listUploads(last, BATCH);
    for (const { sequence, upload } of batch) {
      last = sequence;
      yield upload;
    }
    if (batch.length < BATCH) return;
  }
}

/** Reads every firmware package, account by account, the oldest of each account first. */
export async function allPackages(
  ledger: Pick<UploadLedger, 'listPackages' | 'packageOwners'>,
): Promise<FirmwarePackage[]> {
  const all: FirmwarePackage[] = [];
  for (const { accountId } of await ledger.packageOwners()) {
    const found: FirmwarePackage[] = [];
    for (;;) {
      const filter = { accountId, offset: found.length, limit: PAGE };
      const { packages } = await ledger.listPackages(filter);
      found.push(...packages);
      if (packages.length < PAGE) break;
    }
    all.push(...found.reverse());
  }
  return all;
}
