import { withRealTimers } from '../lib/timers.ts';
import type { createRegistry } from './registry.ts';

type CreateRegistry = typeof createRegistry;

/** Loads the registry and with it prom-client, which most gateways of a test suite never need. */
export function loadRegistry(): CreateRegistry {
  return withRealTimers(() => {
    // Not `import()`, which Jest does not allow in a CommonJS package.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const loaded: unknown = require('./registry');
    if (!hasCreateRegistry(loaded)) throw new Error('./registry has another export');
    return loaded.createRegistry;
  });
}

function hasCreateRegistry(loaded: unknown): loaded is { readonly createRegistry: CreateRegistry } {
  return typeof loaded === 'object' && loaded !== null && 'createRegistry' in loaded;
}
