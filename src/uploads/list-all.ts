import type { FirmwarePackage } from './firmware-package.ts';
import type { ExpectedBody, UploadLedger } from './ports.ts';
import type { ClaimedUpload, StoredUpload, Upload } from './upload.ts';

const BATCH = 256;
const PAGE = 100;
const BODIES = 1000;

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

/** Reads every body that the store should have, by its locator. */
export async function* allBodies(
  ledger: Pick<UploadLedger, 'listBodies'>,
): AsyncGenerator<ExpectedBody, void, undefined> {
  let last = '';
  for (;;) {
    const page = await ledger.listBodies(last, BODIES);
    yield* page;
    last = page.at(-1)?.locator ?? last;
    if (page.length < BODIES) return;
  }
}

/** Reads every upload whose bytes must exist, oldest first. */
export async function* uploadsWithBytes(
  ledger: Pick<UploadLedger, 'listUploads'>,
): AsyncGenerator<StoredUpload | ClaimedUpload, void, undefined> {
  for await (const upload of allUploads(ledger)) {
    if (upload.state === 'stored' || upload.state === 'claimed') yield upload;
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
