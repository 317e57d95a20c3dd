/** Remembers the used signature nonces, so that a signed call works only once. */
export interface NonceMemory {
  /**
   * Uses up a nonce.
   * @param expiresAt - Unix milliseconds; from then on the nonce may be forgotten
   * @returns false when it was used before
   */
  burn(accessKeyId: string, nonce: string, expiresAt: number): Promise<boolean>;
  /** Forgets up to `limit` nonces that expired before a time. @returns how many it has forgotten */
  prune(expiredBefore: number, limit: number): Promise<number>;
}

/** Limits how often an account may call an operation. */
export interface Quota {
  /**
   * Takes one call.
   * @param perSecond - calls per second that the operation allows
   * @returns undefined when the call may go on; else the milliseconds to wait until the next one may
   */
  take(accountId: string, operation: string, perSecond: number): Promise<number | undefined>;
  /** Forgets all calls. For tests; a quota without it keeps them. */
  clear?(): void;
}
