import { withRealTimers } from './timers.ts';

/**
 * Loads a module when it is first needed, so that a test suite which only imports the package does not wait for it.
 * @param load - calls `require`: Jest does not allow `import()` in a CommonJS package
 * @param name - of an export that the module must have
 */
export function loadModule<Module extends object>(
  load: () => unknown,
  name: keyof Module & string,
): Module {
  const loaded = withRealTimers(load);
  if (!hasExport<Module>(loaded, name)) throw new Error(`the module has no export ${name}`);
  return loaded;
}

function hasExport<Module extends object>(
  loaded: unknown,
  name: keyof Module & string,
): loaded is Module {
  return typeof loaded === 'object' && loaded !== null && name in loaded;
}
