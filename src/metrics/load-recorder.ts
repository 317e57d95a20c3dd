import { loadModule } from '../lib/load-module.ts';
import type { createRecorder } from './recorder.ts';

interface RecorderModule {
  readonly createRecorder: typeof createRecorder;
}

/** Loads the recorder and with it prom-client, which most gateways of a test suite never need. */
export function loadRecorder(): RecorderModule['createRecorder'] {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return loadModule<RecorderModule>(() => require('./recorder'), 'createRecorder').createRecorder;
}
