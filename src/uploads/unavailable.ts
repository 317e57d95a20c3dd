/**
 * The store of the bodies does not answer, refuses every request, or is too slow for all that arrives. It goes away by
 * itself or by an operator: clients should try again.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/**
 * A ledger in the network does not answer, is not the primary any more, or has too much to do. It goes away by itself or
 * by an operator: clients should try again.
 */
export class LedgerUnavailable extends Error {
  override readonly name = 'LedgerUnavailable';
}

/** The clock of this gateway and that of the ledger differ so much that it computes deadlines of others wrongly. */
export class ClockDiffers extends Error {
  override readonly name = 'ClockDiffers';
}
