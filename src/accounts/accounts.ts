import { z } from 'zod';
import { limit, sizeLimit } from '../config/units.ts';

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

const identifier = z
  .string()
  .regex(/^[\w.@-]{1,128}$/, 'expected 1 to 128 letters, digits or . _ @ -');
const visible = z.string().regex(/^[\x21-\x7e]{1,4096}$/, 'expected visible ASCII without spaces');

const date = z.iso
  .datetime({ offset: true, error: 'expected a date like 2024-04-01T12:00:00Z' })
  .transform((text) => Date.parse(text));

const accessKey = z
  .strictObject({
    id: identifier,
    secret: visible,
    disabled: z.boolean().optional(),
    disabledFrom: date.optional(),
    securityToken: visible.optional(),
    expiresAt: date.optional(),
  })
  .refine((key) => key.expiresAt === undefined || key.securityToken !== undefined, {
    path: ['expiresAt'],
    error:
      'only a temporary access key, one with a securityToken, can expire; others have disabledFrom',
  });

const product = z.strictObject({
  key: z.string().regex(/^[A-Za-z0-9]{1,64}$/, 'expected 1 to 64 letters or digits'),
  name: z.string().min(1),
});

const account = z.strictObject({
  id: identifier,
  operator: z.boolean().optional(),
  accessKeys: z.array(accessKey).min(1, 'an account needs at least one access key'),
  instances: z.array(identifier).min(1, 'leave instances out when there are none').optional(),
  products: z.array(product).min(1, 'leave products out when there are none').optional(),
  maxBytes: sizeLimit.optional(),
  maxUploads: limit.optional(),
  maxConcurrent: limit.optional(),
  maxRate: limit.optional(),
});

const file = z.strictObject({
  accounts: z.array(account).min(1, 'there must be at least one account'),
});

/** The accounts file: `{ "accounts": [...] }`. Unknown members, and ids that are given twice, are rejected. */
export const accountsFileSchema = file.superRefine(({ accounts }, context) => {
  const first = new Map<string, string>();
  for (const { id, path, what } of accounts.flatMap(listIds)) {
    const identity = JSON.stringify([what, id]);
    const earlier = first.get(identity);
    if (earlier === undefined) first.set(identity, path.join('.'));
    else {
      const message = `${what} ${id} is given at ${earlier} already`;
      context.addIssue({ code: 'custom', path, message });
    }
  }
});

interface LocatedId {
  readonly what: string;
  readonly id: string;
  readonly path: PropertyKey[];
}

/**
 * @returns the ids that must be unique: accounts and access keys in the whole file, instances and products in their
 *   account
 */
function listIds(entry: Account, index: number): LocatedId[] {
  const at = (...rest: PropertyKey[]): PropertyKey[] => ['accounts', index, ...rest];
  const { accessKeys, id, instances = [], products = [] } = entry;
  return [
    { what: 'account', id, path: at('id') },
    ...accessKeys.map((key, n) => ({
      what: 'access key',
      id: key.id,
      path: at('accessKeys', n, 'id'),
    })),
    ...instances.map((instance, n) => ({
      what: `instance of account ${id}`,
      id: instance,
      path: at('instances', n),
    })),
    ...products.map((each, n) => ({
      what: `product of account ${id}`,
      id: each.key,
      path: at('products', n, 'key'),
    })),
  ];
}
