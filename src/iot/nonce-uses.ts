/** A call that has used up a nonce. */
export interface NonceUse {
  readonly accountId: string;
  readonly requestId: string;
  /** By the machine's clock, in Unix milliseconds. */
  readonly at: number;
}

/**
 * Remembers which call has used a nonce, of the latest calls: a nonce is mostly reused soon after, by a client that tries
 * again. It only explains a refusal, so that it is kept in memory and may forget.
 */
export class NonceUses {
  /** How many uses are kept at least; at most twice as many. */
  static readonly CAPACITY = 1000;
  #newer = new Map<string, NonceUse>();
  #older = new Map<string, NonceUse>();

  note(accessKeyId: string, nonce: string, use: NonceUse): void {
    if (this.#newer.size === NonceUses.CAPACITY) {
      // One at a time would cost each call a microsecond.
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(idOf(accessKeyId, nonce), use);
  }

  /** @returns the call of the account that has used the nonce; undefined when it is not known */
  find(accountId: string, accessKeyId: string, nonce: string): NonceUse | undefined {
    const id = idOf(accessKeyId, nonce);
    const use = this.#newer.get(id) ?? this.#older.get(id);
    return use?.accountId === accountId ? use : undefined;
  }
}

/** Ids of access keys have no space. */
function idOf(accessKeyId: string, nonce: string): string {
  return `${accessKeyId} ${nonce}`;
}
