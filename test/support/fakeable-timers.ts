/*
 * Replaces src/lib/timers.ts in tests that move the time of the sources by fake timers:
 * jest.mock('../../src/lib/timers.ts', () => jest.requireActual('../support/fakeable-timers.ts'))
 */

type Call = (...args: readonly unknown[]) => void;

/** @returns the timers that the globals are at the time of each call */
function following(
  name: 'clearInterval' | 'clearTimeout' | 'setImmediate' | 'setInterval' | 'setTimeout',
): unknown {
  return (...args: readonly unknown[]): unknown =>
    Reflect.apply(globalThis[name] as Call, globalThis, args);
}

export const clearInterval = following('clearInterval');
export const clearTimeout = following('clearTimeout');
export const setImmediate = following('setImmediate');
export const setInterval = following('setInterval');
export const setTimeout = following('setTimeout');
