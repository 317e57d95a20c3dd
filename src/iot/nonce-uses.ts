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
  /** How many uses are kept. */
  static readonly CAPACITY = 1000;
  readonly #uses = new Map<string, NonceUse>();

  note(accessKeyId: string, nonce: string, use: NonceUse): void {
    const id = idOf(accessKeyId, nonce);
    // The newest is the last one.
    this.#uses.delete(id);
    this.#uses.set(id, use);
    if (this.#uses.size <= NonceUses.CAPACITY) return;
    const [oldest] = this.#uses.keys();
    if (oldest !== undefined) this.#uses.delete(oldest);
  }

  /** @returns the call of the account that has used the nonce; undefined when it is not known */
  find(accountId: string, accessKeyId: string, nonce: string): NonceUse | undefined {
    const use = this.#uses.get(idOf(accessKeyId, nonce));
    return use?.accountId === accountId ? use : undefined;
  }
}

/** Ids of access keys have no space. */
function idOf(accessKeyId: string, nonce: string): string {
  return `${accessKeyId} ${nonce}`;
}
