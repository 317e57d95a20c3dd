import type { UploadDependencies } from './dependencies.ts';

/**
 * Logs a warning for each account that has firmware packages but is not configured: no API call finds those packages.
 * @param accountIds - the ids of the configured accounts
 */
export async function warnOfUnknownOwners(
  { ledger, logger }: Pick<UploadDependencies, 'ledger' | 'logger'>,
  accountIds: readonly string[],
): Promise<void> {
  for (const owner of await ledger.packageOwners()) {
    if (accountIds.includes(owner.accountId)) continue;
    logger.warn(
      owner,
      'the account of these firmware packages is not configured, so no API call finds them: add an account with this ' +
        'id to the accounts file; without such a file the id of the account is "default"',
    );
  }
}
