/*
 * What a shared ledger is used for is one of the agreements of its gateways. It keeps them off a ledger that is being
 * filled, and keeps another one from being filled while gateways use it.
 */

/** The name of the agreement. */
export const LEDGER_USE = 'use';

/** Gateways use the ledger. */
export const SERVED = 'gateways';

const COPYING = 'unfinished copy of ';

/** The ledger is being filled. @param origin - names what it is filled from */
export function copying(origin: string): string {
  return COPYING + origin;
}

/** The ledger was filled, and gateways may use it. */
export function copied(origin: string): string {
  return `copy of ${origin}`;
}

/** Whether the ledger is not complete. */
export function isUnfinished(use: string): boolean {
  return use.startsWith(COPYING);
}
