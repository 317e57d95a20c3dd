import { withRealTimers } from '../lib/timers.ts';
import type { createWatching } from './watching.ts';

type CreateWatching = typeof createWatching;

/** Loads what watches a gateway when one starts: a test suite that only imports the package does not wait for it. */
export function loadWatching(): CreateWatching {
  return withRealTimers(() => {
    // Not `import()`, which Jest does not allow in a CommonJS package.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const loaded: unknown = require('./watching');
    if (!hasCreateWatching(loaded)) throw new Error('./watching has another export');
    return loaded.createWatching;
  });
}

function hasCreateWatching(loaded: unknown): loaded is { readonly createWatching: CreateWatching } {
  return typeof loaded === 'object' && loaded !== null && 'createWatching' in loaded;
}
