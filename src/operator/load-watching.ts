import { loadModule } from '../lib/load-module.ts';
import type { createWatching } from './watching.ts';

interface WatchingModule {
  readonly createWatching: typeof createWatching;
}

/** Loads what watches a gateway, when one starts. */
export function loadWatching(): WatchingModule['createWatching'] {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return loadModule<WatchingModule>(() => require('./watching'), 'createWatching').createWatching;
}
