import timers from 'node:timers';

/*
 * Node's timers as they were when this module was loaded. Fake timers of a test replace the globals, and some also the
 * members of node:timers; the gateway would wait for them forever. ESLint forbids both elsewhere in src/.
 */
export const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = timers;
