import type { RequestListener } from 'node:http';
import { loadModule } from '../lib/load-module.ts';
import type * as OperatorModule from './operator-app.ts';
import type { OpsDependencies } from './router.ts';

/**
 * Loads the operator application and with it Express, which takes a fifth of the time in which the package loads. Most
 * test suites never need it.
 */
export function loadOperatorApp(): typeof OperatorModule.createOperatorApp {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return loadModule<typeof OperatorModule>(() => require('./operator-app'), 'createOperatorApp')
    .createOperatorApp;
}

/** Makes a listener that loads the operator application for its first request. */
export function createLazyOperatorApp(deps: OpsDependencies): RequestListener {
  let app: RequestListener | undefined;
  return (request, response) => {
    app ??= loadOperatorApp()(deps);
    app(request, response);
  };
}
