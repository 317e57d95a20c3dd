/**
 * Whether something that was thrown is a system error with a code such as `ENOENT`. Its class is not asked:
 * a test runner that gives each test a global scope of its own makes `instanceof Error` false for Node's errors.
 */
export function hasErrorCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
