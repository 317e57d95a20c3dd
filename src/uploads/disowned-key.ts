/**
 * The key in the row of a body that was disowned: no client had named one that the ledger knows. It is below `_gateway/`, so
 * no client can store anything under it.
 */
export function disownedKey(locator: string): string {
  return `_gateway/disowned/${locator}`;
}
