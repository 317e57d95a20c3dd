/**
 * Whether a thrown value is a system error with a code such as `ENOENT`. The class is not checked: `instanceof Error`
 * is false for Node's errors in a test runner that gives each test its own global scope.
 */
export function hasErrorCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

/** Error codes of SQLite, PostgreSQL and the operating system for a full disk or disk quota. */
const FULL = [
  ...['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_SHMSIZE'],
  ...['53100', 'ENOSPC', 'EDQUOT'],
];

/** Whether an error means that the disk is full. */
export function isDiskFull(error: unknown): boolean {
  return FULL.some((code) => hasErrorCode(error, code));
}
