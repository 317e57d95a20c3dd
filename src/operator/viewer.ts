import { isOperatorAmong } from '../accounts/accounts.ts';
import type { Account, AccountDirectory } from '../accounts/accounts.ts';
import type { Upload } from '../uploads/upload.ts';

/** Who asks: an account sees and changes what is its own, an operator everything. */
export interface Viewer {
  readonly accountId: string;
  readonly isOperator: boolean;
}

/** A reader of the data folder itself; has no account. */
export const FOLDER_READER: Viewer = { accountId: '', isOperator: true };

/** @returns the account as one who asks */
export function viewerOf(accounts: AccountDirectory, account: Account): Viewer {
  return { accountId: account.id, isOperator: isOperatorAmong(accounts.all, account) };
}

/** Whether the viewer sees an upload. One whose policy was not signed here belongs to no account. */
export function seesUpload({ accountId, isOperator }: Viewer, { issue }: Upload): boolean {
  return isOperator || issue?.accountId === accountId;
}

/** Whether the viewer sees what belongs to an account. */
export function seesAccount(viewer: Viewer, accountId: string | undefined): boolean {
  return viewer.isOperator || viewer.accountId === accountId;
}

/**
 * @param asked - the account that a filter names
 * @returns the account whose things are looked for; undefined: those of all; `none` when the viewer sees none of them
 */
export function visibleAccount(viewer: Viewer, asked?: string): string | undefined | Nothing {
  if (viewer.isOperator) return asked;
  return asked === undefined || asked === viewer.accountId ? viewer.accountId : NOTHING;
}

/** Stands for an account of which the viewer sees nothing. */
export const NOTHING = Symbol('nothing');
export type Nothing = typeof NOTHING;
