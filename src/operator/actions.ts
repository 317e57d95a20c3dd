import type { Account, AccountDirectory } from '../accounts/accounts.ts';
import type { BucketKey } from '../signatures/bucket-key.ts';
import { downloadUrl } from '../signatures/download-url.ts';
import { deletePackage } from '../uploads/change-package.ts';
import type { UploadDependencies } from '../uploads/dependencies.ts';
import { withdraw } from '../uploads/deposit.ts';
import type { PurgeReport } from '../uploads/purge-bodies.ts';
import type { Upload } from '../uploads/upload.ts';
import { OperatorError } from './errors.ts';
import type { GrantInput, PackageFields } from './inputs.ts';
import { createPackage, signGrant } from './platform-calls.ts';
import type { CallOrigin, ClaimedKey } from './platform-calls.ts';
import type { Platform } from './ports.ts';
import { planPurge } from './purge-plan.ts';
import { pushMessage } from './push-message.ts';
import type { Queries } from './queries.ts';
import type { LinkShape, PackageShape, PushMessageShape } from './package-shapes.ts';
import type { PurgeShape } from './shapes.ts';
import type { GrantShape, UploadHistoryShape } from './upload-shapes.ts';
import { iso, showPackage } from './show.ts';
import { seesAccount, seesUpload } from './viewer.ts';
import type { Viewer } from './viewer.ts';

/** What the actions work with. */
export interface ActionDependencies {
  readonly accounts: AccountDirectory;
  readonly bucketKey: BucketKey;
  readonly platform: Platform;
  readonly purge: () => Promise<PurgeReport>;
  readonly queries: Queries;
  /** Reads the files of accounts and keys again. @throws when one cannot be used; the old ones stay */
  readonly reload: () => void;
  readonly uploads: UploadDependencies;
}

/**
 * What people and tools change. Each throws an OperatorError when it cannot be done. `requestId` is that of the request that
 * asks for it; it is kept with the uploads.
 */
export interface Actions {
  /** Signs a form for one upload. */
  grant(viewer: Viewer, input: GrantInput, origin: CallOrigin): Promise<GrantShape>;
  /** Makes a firmware package of stored uploads: claims all of them, or none. */
  claim(
    viewer: Viewer,
    fields: PackageFields,
    files: readonly ClaimedKey[],
    requestId: string,
  ): Promise<PackageShape>;
  /** Deletes a stored upload that no package holds. */
  deleteUpload(viewer: Viewer, key: string, requestId: string): Promise<UploadHistoryShape>;
  /** Deletes a package and its files. @returns the package as it was */
  deletePackage(viewer: Viewer, firmwareId: string, requestId: string): Promise<PackageShape>;
  /** Runs the purge, or says what is due. For operators. */
  purge(viewer: Viewer, dryRun: boolean): Promise<PurgeShape>;
  /** Signs URLs that download the files of a package. @param validity - in milliseconds */
  links(viewer: Viewer, firmwareId: string, validity: number, host: string): Promise<LinkShape[]>;
  /** Makes the message that the platform would push to a device. @param validity - of its URLs, in milliseconds */
  message(
    viewer: Viewer,
    firmwareId: string,
    validity: number,
    host: string,
  ): Promise<PushMessageShape>;
  /** Reads the files of accounts and keys again. For operators. @returns how many accounts there are */
  reload(viewer: Viewer): { readonly accounts: number };
}

/** Creates the actions. */
export function createActions(deps: ActionDependencies): Actions {
  const { bucketKey, queries, uploads } = deps;
  const { clock, ledger, rules } = uploads;
  return {
    grant: (viewer, { account, ...input }, origin) =>
      signGrant(deps, findAccount(deps, viewer, account), input, origin),
    claim: async (viewer, { account, ...fields }, files, requestId) => {
      const owner = account ?? (await ownerOf(deps, viewer, files[0]?.key ?? ''));
      const claimer = findAccount(deps, viewer, owner);
      const firmwareId = await createPackage(deps, claimer, fields, files, requestId);
      return requirePackage(queries, viewer, firmwareId);
    },
    deleteUpload: async (viewer, key, requestId) => {
      const [upload] = await ledger.findHistory(key, 1);
      if (upload === undefined || !seesUpload(viewer, upload)) throw noUpload(key);
      await deleteStored(uploads, upload, requestId);
      const history = await queries.showUpload(viewer, key);
      if (history === undefined) throw noUpload(key);
      return history;
    },
    deletePackage: async (viewer, firmwareId, requestId) => {
      const found = await ledger.findPackageById(firmwareId);
      const isSeen = found !== undefined && seesAccount(viewer, found.accountId);
      if (!isSeen || !(await deletePackage(uploads, found, requestId))) throw noPackage(firmwareId);
      return showPackage(found);
    },
    purge: async (viewer, dryRun) => {
      requireOperator(viewer, 'the purge');
      return dryRun ? planPurge(uploads) : { dryRun, ...(await deps.purge()) };
    },
    links: async (viewer, firmwareId, validity, host) => {
      const { files } = await requirePackage(queries, viewer, firmwareId);
      // A signature has whole seconds.
      const expiresAt = Math.floor((clock.now() + validity) / 1000) * 1000;
      return files.map(({ key, name }) => ({
        ...(name !== undefined && { name }),
        key,
        url: downloadUrl(bucketKey, { bucket: rules.bucket, key, host }, expiresAt),
        expiresAt: iso(expiresAt),
      }));
    },
    message: async (viewer, firmwareId, validity, host) => {
      const firmware = await ledger.findPackageById(firmwareId);
      if (firmware === undefined || !seesAccount(viewer, firmware.accountId))
        throw noPackage(firmwareId);
      const { compose } = deps.platform;
      const push = { at: clock.now(), validity, host };
      return pushMessage({ bucket: rules.bucket, bucketKey, compose }, firmware, push);
    },
    reload: (viewer) => {
      requireOperator(viewer, 'the accounts');
      return { accounts: reloadAll(deps) };
    },
  };
}

/** @throws OperatorError when the viewer is no operator */
export function requireOperator({ isOperator }: Viewer, what: string): void {
  if (isOperator) return;
  const hint = 'use an access key of an operator: an account with "operator": true';
  throw new OperatorError('forbidden', 'OperatorOnly', `only an operator may use ${what}`, hint);
}

/** @param asked - the account to act for; absent: that of the viewer */
function findAccount(
  { accounts }: ActionDependencies,
  { accountId, isOperator }: Viewer,
  asked = accountId,
): Account {
  if (asked !== accountId && !isOperator) {
    const message = `only an operator may act for the account ${asked}`;
    throw new OperatorError('forbidden', 'OperatorOnly', message);
  }
  const account = accounts.account(asked);
  if (account !== undefined) return account;
  throw new OperatorError('notFound', 'AccountNotFound', `there is no account ${asked}`);
}

/** @returns the account that the upload of a key was signed for, if the viewer sees it; else that of the viewer */
async function ownerOf(
  { uploads: { ledger } }: ActionDependencies,
  viewer: Viewer,
  key: string,
): Promise<string> {
  const [upload] = viewer.isOperator ? await ledger.findHistory(key, 1) : [];
  return upload?.issue?.accountId ?? viewer.accountId;
}

async function requirePackage(
  queries: Queries,
  viewer: Viewer,
  firmwareId: string,
): Promise<PackageShape> {
  const found = await queries.showPackage(viewer, firmwareId);
  if (found === undefined) throw noPackage(firmwareId);
  return found;
}

/** @throws OperatorError when it is not stored, or is changed at the same time */
async function deleteStored(
  uploads: UploadDependencies,
  upload: Upload,
  requestId: string,
): Promise<void> {
  const { key, state } = upload;
  if (upload.state === 'claimed') {
    const message = `the firmware package ${upload.packageId} holds ${key}`;
    throw new OperatorError('conflict', 'UploadClaimed', message, 'delete the package');
  }
  if (upload.state === 'issued') {
    const message = `nothing has been uploaded to ${key}; its form expires by itself`;
    throw new OperatorError('conflict', 'UploadNotStored', message);
  }
  if (upload.state !== 'stored') {
    throw new OperatorError('conflict', 'UploadNotStored', `${key} is ${state} already`);
  }
  if (await withdraw(uploads, { key, object: upload.object }, requestId)) return;
  const message = `another request has just changed ${key}`;
  throw new OperatorError('conflict', 'UploadChanged', message, 'try again');
}

function reloadAll({ accounts, reload }: ActionDependencies): number {
  try {
    reload();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const hint = 'correct the file; the accounts and keys from before stay in use';
    throw new OperatorError('conflict', 'FileInvalid', message, hint);
  }
  return accounts.all.length;
}

export function noUpload(key: string): OperatorError {
  return new OperatorError('notFound', 'UploadNotFound', `there is no upload ${key}`);
}

export function noPackage(id: string): OperatorError {
  return new OperatorError('notFound', 'PackageNotFound', `there is no firmware package ${id}`);
}
