/**
 * Runs work that loads the native part of better-sqlite3. Replaces an error of loading by one sentence that says what to
 * run; Node and the package `bindings` list every path that they have tried.
 * @throws every other error unchanged
 */
export function withNativeBuild<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const reason = explainLoading(error);
    if (reason === undefined) throw error;
    throw new Error(`${reason} Run "npm rebuild better-sqlite3".`, { cause: error });
  }
}

function explainLoading(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ERR_DLOPEN_FAILED') {
    return `The native build of better-sqlite3 cannot be loaded by Node ${process.versions.node}; it was made for another version or platform.`;
  }
  const isMissing = error.message.startsWith('Could not locate the bindings file');
  return isMissing ? 'The native build of better-sqlite3 is missing.' : undefined;
}
