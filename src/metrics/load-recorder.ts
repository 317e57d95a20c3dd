import { withRealTimers } from '../lib/timers.ts';
import type { createRecorder } from './recorder.ts';

type CreateRecorder = typeof createRecorder;

/** Loads the recorder and with it prom-client, which most gateways of a test suite never need. */
export function loadRecorder(): CreateRecorder {
  return withRealTimers(() => {
    // Not `import()`, which Jest does not allow in a CommonJS package.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const loaded: unknown = require('./recorder');
    if (!hasCreateRecorder(loaded)) throw new Error('./recorder has another export');
    return loaded.createRecorder;
  });
}

function hasCreateRecorder(loaded: unknown): loaded is { readonly createRecorder: CreateRecorder } {
  return typeof loaded === 'object' && loaded !== null && 'createRecorder' in loaded;
}
