import { tenantOfKey, tenantSegment } from '../policy/object-key.ts';

/** An account, as far as keys name it. */
interface KeyOwner {
  readonly id: string;
  readonly instances?: readonly string[] | undefined;
}

/**
 * Finds the account that a key was made for. The ledger may have forgotten the grant, after a crash or a failover, because
 * a grant is not flushed. Keys that name an instance are found only for accounts that list their instances.
 */
export class KeyOwners {
  readonly #accounts: () => readonly KeyOwner[];
  /** The accounts of `#byTenant`; they are replaced as a whole. */
  #indexed: readonly KeyOwner[] = [];
  #byTenant: ReadonlyMap<string, string> = new Map();

  /** @param accounts - returns those that are configured now */
  constructor(accounts: () => readonly KeyOwner[]) {
    this.#accounts = accounts;
  }

  /** @returns the id of the account; undefined for a key that was made for none of them */
  find(key: string): string | undefined {
    const tenant = tenantOfKey(key);
    if (tenant === undefined) return undefined;
    const accounts = this.#accounts();
    if (accounts !== this.#indexed) {
      this.#indexed = accounts;
      this.#byTenant = new Map(accounts.flatMap(tenantsOf));
    }
    return this.#byTenant.get(tenant);
  }
}

function tenantsOf({ id, instances }: KeyOwner): [tenant: string, accountId: string][] {
  return (instances ?? [undefined]).map((instance) => [tenantSegment(id, instance), id]);
}
