import type { RequestListener } from 'node:http';
import { withRealTimers } from '../lib/timers.ts';
import type { createOperatorApp } from './operator-app.ts';
import type { OpsDependencies } from './router.ts';

type CreateOperatorApp = typeof createOperatorApp;

/**
 * Loads the operator application and with it Express, which takes a fifth of the time in which the package loads. Most
 * test suites never need it.
 */
export function loadOperatorApp(): CreateOperatorApp {
  return withRealTimers(() => {
    // Not `import()`, which Jest does not allow in a CommonJS package.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const loaded: unknown = require('./operator-app');
    if (!hasCreateOperatorApp(loaded)) throw new Error('./operator-app has another export');
    return loaded.createOperatorApp;
  });
}

function hasCreateOperatorApp(
  loaded: unknown,
): loaded is { readonly createOperatorApp: CreateOperatorApp } {
  return typeof loaded === 'object' && loaded !== null && 'createOperatorApp' in loaded;
}

/** Makes a listener that loads the operator application for its first request. */
export function createLazyOperatorApp(deps: OpsDependencies): RequestListener {
  let app: RequestListener | undefined;
  return (request, response) => {
    app ??= loadOperatorApp()(deps);
    app(request, response);
  };
}
