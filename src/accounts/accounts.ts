/** A key that signs API calls. Each RAM user has its own. */
export interface AccessKey {
  readonly id: string;
  readonly secret: string;
  readonly disabled?: boolean | undefined;
  /** When a permanent key stops working, in Unix milliseconds: another one replaces it. */
  readonly disabledFrom?: number | undefined;
  /** Makes the key a temporary one (STS): its calls must have this token. */
  readonly securityToken?: string | undefined;
  /** When a temporary key expires, in Unix milliseconds. */
  readonly expiresAt?: number | undefined;
}

/** A product that firmware packages may belong to. */
export interface Product {
  readonly key: string;
  readonly name: string;
}

/** A limit of an account; absent: the default of the settings; `off`: none. */
export type AccountLimit = number | 'off' | undefined;

/** The limits of an account. */
export interface AccountLimits {
  /** Bytes of all its stored and claimed files together. */
  readonly maxBytes?: AccountLimit;
  /** Uploads that are issued, stored or claimed. */
  readonly maxUploads?: AccountLimit;
  /** Files that are received at the same time. */
  readonly maxConcurrent?: AccountLimit;
  /** Forms that are signed per second. */
  readonly maxRate?: AccountLimit;
}

/** An owner of firmware packages. All access keys of an account share its packages, its quota and its limits. */
export interface Account extends AccountLimits {
  readonly id: string;
  /** Sees and changes what belongs to any account. */
  readonly operator?: boolean | undefined;
  readonly accessKeys: readonly AccessKey[];
  /** When present, each call must name one of them; when absent, a call may name any. */
  readonly instances?: readonly string[] | undefined;
  /** When present, a firmware package must belong to one of them; when absent, to any. */
  readonly products?: readonly Product[] | undefined;
}

/** An access key with its account. */
export interface Credential {
  readonly account: Account;
  readonly accessKey: AccessKey;
}

/**
 * @param now - by the clock of the gateway, in Unix milliseconds
 * @returns whether calls with an access key are refused; a temporary key that has expired is not disabled
 */
export function isDisabled({ disabled, disabledFrom }: AccessKey, now: number): boolean {
  return disabled === true || (disabledFrom !== undefined && now >= disabledFrom);
}

/** @returns whether an account of some is an operator: it is marked as one, or is not marked and is the only one */
export function isOperatorAmong(accounts: readonly Account[], { operator }: Account): boolean {
  return operator ?? accounts.length === 1;
}

/** The accounts that may call the API. They can be replaced while the gateway runs. */
export class AccountDirectory {
  #accounts: readonly Account[] = [];
  #byId: ReadonlyMap<string, Account> = new Map();
  #credentials: ReadonlyMap<string, Credential> = new Map();
  readonly #listeners = new Set<() => void>();

  constructor(accounts: readonly Account[]) {
    this.replace(accounts);
  }

  find(accessKeyId: string): Credential | undefined {
    return this.#credentials.get(accessKeyId);
  }

  /** Replaces all accounts at once. Calls that were admitted before go on with the old ones. */
  replace(accounts: readonly Account[]): void {
    this.#credentials = new Map(
      accounts.flatMap((account) =>
        account.accessKeys.map((accessKey) => [accessKey.id, { account, accessKey }]),
      ),
    );
    this.#byId = new Map(accounts.map((account) => [account.id, account]));
    this.#accounts = accounts;
    for (const listener of this.#listeners) listener();
  }

  /** Calls back after the accounts were replaced. @returns a function that ends it */
  onReplaced(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** @returns the account with an id */
  account(id: string): Account | undefined {
    return this.#byId.get(id);
  }

  /** All accounts, in the given order. */
  get all(): readonly Account[] {
    return this.#accounts;
  }

  /** The account when there is exactly one, else undefined. */
  get soleAccount(): Account | undefined {
    return this.#accounts.length === 1 ? this.#accounts[0] : undefined;
  }
}
