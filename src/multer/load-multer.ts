import type multer from 'multer';
import { withRealTimers } from '../lib/timers.ts';

/** Loads multer, and with it the parser of its forms: most gateways never need them. */
export function loadMulter(): typeof multer {
  return withRealTimers(() => {
    // Not `import()`, which Jest does not allow in a CommonJS package.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const loaded: unknown = require('multer');
    if (!isMulter(loaded)) throw new Error('multer has another export');
    return loaded;
  });
}

function isMulter(loaded: unknown): loaded is typeof multer {
  return typeof loaded === 'function' && 'memoryStorage' in loaded;
}
