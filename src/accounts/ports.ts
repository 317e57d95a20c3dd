/** Remembers which signature nonces were used, so that a signed call works once. */
export interface NonceMemory {
  /**
   * Uses up a nonce.
   * @param expiresAt - from this time on (Unix milliseconds) it may be forgotten
   * @returns false when it was used before
   */
  burn(accessKeyId: string, nonce: string, expiresAt: number): Promise<boolean>;
  /** Forgets up to `limit` nonces that expired before a time. @returns how many. */
  prune(expiredBefore: number, limit: number): Promise<number>;
}

/** Limits how often an account may call an operation. */
export interface Quota {
  /**
   * Takes one call.
   * @param perSecond - calls per second that the operation allows
   * @returns milliseconds to wait when there is none left; undefined when the call may go on
   */
  take(accountId: string, operation: string, perSecond: number): Promise<number | undefined>;
}
