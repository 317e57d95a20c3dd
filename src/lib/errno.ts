/**
 * Whether a thrown value is a system error with a code such as `ENOENT`. The class is not checked: `instanceof Error`
 * is false for Node's errors in a test runner that gives each test its own global scope.
 */
export function hasErrorCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
