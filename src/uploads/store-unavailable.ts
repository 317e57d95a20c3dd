/**
 * The store of the bodies does not answer, refuses every request, or is too slow for all that arrives. It goes away by
 * itself or by an operator: clients should try again.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
