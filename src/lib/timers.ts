import timers from 'node:timers';

/*
 * Node's timers as they were when this module was loaded. Fake timers of a test replace the globals, and some also the
 * members of node:timers; the gateway would wait for them forever. ESLint forbids both elsewhere in src/.
 */
export const { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } = timers;

/**
 * Loads modules while Node's timers are the globals, because a module may keep the globals that it finds. Fake timers of
 * a test are the globals again afterwards.
 */
export function withRealTimers<T>(load: () => T): T {
  const real = { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout };
  const names = Object.keys(real);
  const found = names.map(
    (name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const,
  );
  try {
    Object.assign(globalThis, real);
    return load();
  } finally {
    for (const [name, descriptor] of found) {
      // jsdom has no setImmediate.
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
    }
  }
}
