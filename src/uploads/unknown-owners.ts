import type { UploadDependencies } from './dependencies.ts';

/**
 * Warns of accounts that have firmware packages and are not configured: no call finds those packages.
 * @param accountIds - of the accounts that are configured
 */
export async function warnOfUnknownOwners(
  { ledger, logger }: Pick<UploadDependencies, 'ledger' | 'logger'>,
  accountIds: readonly string[],
): Promise<void> {
  for (const owner of await ledger.packageOwners()) {
    if (accountIds.includes(owner.accountId)) continue;
    logger.warn(
      owner,
      'the account of these firmware packages is not configured, so no call finds them: give an account of the accounts ' +
        'file this id; "default" is the id of the account without such a file',
    );
  }
}
