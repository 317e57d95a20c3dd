import type { LedgerChange } from './ledger-changes.ts';
import type { UploadState } from './upload.ts';

/** What is used: uploads that are issued, stored or claimed, and the bytes of their files. */
export interface Usage {
  readonly uploads: number;
  readonly bytes: number;
}

const NONE: Usage = { uploads: 0, bytes: 0 };
const USED: ReadonlySet<UploadState | undefined> = new Set(['issued', 'stored', 'claimed']);

/** What each account uses, by adding up the changes of a ledger. */
export class AccountUsage {
  readonly #accounts = new Map<string | undefined, { uploads: number; bytes: number }>();
  readonly #total = { uploads: 0, bytes: 0 };

  /** Adds a change. Pass it to `UploadLedger.watch`, which begins with everything that there is. */
  readonly add = (change: LedgerChange): void => {
    if (change.kind !== 'uploads') return;
    const { accountId, bytes, count, from, to } = change;
    const account = this.#accounts.get(accountId) ?? { uploads: 0, bytes: 0 };
    this.#accounts.set(accountId, account);
    for (const usage of [account, this.#total]) {
      if (USED.has(from)) usage.uploads -= count;
      // The body of an issued upload comes with the change that stores it.
      if (USED.has(from) && from !== 'issued') usage.bytes -= bytes;
      if (USED.has(to)) usage.uploads += count;
      if (USED.has(to)) usage.bytes += bytes;
    }
    if (account.uploads === 0) this.#accounts.delete(accountId);
  };

  /** @param accountId - undefined: uploads whose policy was not signed here */
  of(accountId: string | undefined): Usage {
    return this.#accounts.get(accountId) ?? NONE;
  }

  /** The usage of the whole bucket. */
  get total(): Usage {
    return this.#total;
  }
}
