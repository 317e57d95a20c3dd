import type { Account, AccessKey, AccountDirectory } from '../../accounts/accounts.ts';
import { isDisabled } from '../../accounts/accounts.ts';
import type { Sessions } from '../../console/sessions.ts';
import type { Clock } from '../../lib/clock.ts';
import { viewerOf } from '../../operator/viewer.ts';
import type { Viewer } from '../../operator/viewer.ts';
import { equalInConstantTime } from '../../signatures/constant-time.ts';
import { ApiRefusal } from './refusals.ts';

/** A client that has proved to have an access key. */
export interface Caller {
  readonly account: Account;
  readonly viewer: Viewer;
  readonly accessKey: AccessKey;
  /** Present when it has signed in to the console. `expiresAt` is by the machine's clock, in Unix milliseconds. */
  readonly session?: { readonly id: string; readonly expiresAt: number };
}

/** What looks up access keys. */
export interface KeyDependencies {
  readonly accounts: AccountDirectory;
  readonly clock: Clock;
  /** Undefined while the console is off. */
  readonly sessions?: Pick<Sessions, 'find' | 'isOpen' | 'onEnded'> | undefined;
}

const MAX_SHOWN = 64;

/** @throws ApiRefusal when there is no such access key, or it is disabled */
export function findKey({ accounts, clock }: KeyDependencies, id: string): [Account, AccessKey] {
  const credential = accounts.find(id);
  if (credential === undefined) {
    const shown = id.length > MAX_SHOWN ? `${id.slice(0, MAX_SHOWN)}...` : id;
    const message = `there is no access key ${JSON.stringify(shown)}`;
    throw new ApiRefusal(401, 'InvalidAccessKeyId.NotFound', message);
  }
  const { accessKey, account } = credential;
  if (isDisabled(accessKey, clock.now())) {
    throw new ApiRefusal(401, 'InvalidAccessKeyId.Inactive', `the access key ${id} is disabled`);
  }
  return [account, accessKey];
}

/**
 * Checks the token of a temporary access key; a permanent one needs none.
 * @throws ApiRefusal when the token is missing, wrong or expired
 */
export function checkToken(
  { clock }: KeyDependencies,
  { expiresAt, securityToken }: AccessKey,
  token: string | undefined,
): void {
  if (securityToken === undefined) return;
  if (token === undefined || !equalInConstantTime(token, securityToken)) {
    const hint = 'sign the request (ACS3-HMAC-SHA256), with the token in x-acs-security-token';
    const message = 'the access key is a temporary one, and the request lacks its token';
    throw new ApiRefusal(401, 'InvalidSecurityToken.MismatchWithAccessKey', message, hint);
  }
  if (expiresAt !== undefined && clock.now() >= expiresAt) {
    const message = 'the temporary access key has expired';
    throw new ApiRefusal(401, 'InvalidSecurityToken.Expired', message);
  }
}

export function toCaller(
  { accounts }: KeyDependencies,
  account: Account,
  accessKey: AccessKey,
): Caller {
  return { account, accessKey, viewer: viewerOf(accounts, account) };
}

/** @returns whether a client would still be let in, with the same access key, rights and session */
export function isStillAdmitted(
  { accounts, clock, sessions }: KeyDependencies,
  { accessKey, session, viewer }: Caller,
): boolean {
  if (session !== undefined && sessions?.isOpen(session) !== true) return false;
  const found = accounts.find(accessKey.id);
  if (found === undefined) return false;
  const { account, accessKey: present } = found;
  const now = clock.now();
  return (
    present.secret === accessKey.secret &&
    present.securityToken === accessKey.securityToken &&
    !isDisabled(present, now) &&
    !(present.expiresAt !== undefined && now >= present.expiresAt) &&
    account.id === viewer.accountId &&
    viewerOf(accounts, account).isOperator === viewer.isOperator
  );
}
