/** A failure of this machine, as far as it is known. */
export interface SystemFailure {
  readonly code: string;
  readonly problem: string;
  /** What to do. */
  readonly hint: string;
}

const FULL = {
  code: 'DiskFull',
  problem: 'the disk is full',
  hint: 'Free some space there, or choose another place',
};
const FORBIDDEN = {
  code: 'NotPermitted',
  problem: 'this user may not do that',
  hint: 'Run the command as the user of the gateway, or check owner and mode',
};
const READ_ONLY = {
  code: 'ReadOnly',
  problem: 'it cannot be written',
  hint: 'Check how its file system is mounted, and the owner and mode of its folder',
};
const BROKEN_DISK = {
  code: 'BrokenDisk',
  problem: 'the disk has failed to read or write',
  hint: 'Look into the log of the system; `ota-gateway fsck --deep` reads every file',
};
const DAMAGED = {
  code: 'DamagedLedger',
  problem: 'the ledger is damaged',
  hint: 'Look with `ota-gateway fsck`, and restore a backup',
};
const MISSING = {
  code: 'MissingFile',
  problem: 'there is no such file or folder',
  hint: 'Check the path',
};
const TOO_MANY_FILES = {
  code: 'TooManyFiles',
  problem: 'too many files are open',
  hint: 'Raise the limit of open files (ulimit -n)',
};

/** Errors of the system and of SQLite, by their codes; SQLite adds a detail behind its code. */
const FAILURES: Readonly<Record<string, SystemFailure>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: { ...FULL, problem: 'the file would be larger than the system allows' },
  SQLITE_FULL: FULL,
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  SQLITE_PERM: FORBIDDEN,
  SQLITE_AUTH: FORBIDDEN,
  SQLITE_CANTOPEN: {
    ...FORBIDDEN,
    problem: 'this user cannot open the ledger',
    // Its log needs a file of shared memory, also to read.
    hint: `${FORBIDDEN.hint}; on a file system that is mounted read-only, copy the folder and look into the copy`,
  },
  EROFS: READ_ONLY,
  SQLITE_READONLY: { ...READ_ONLY, problem: 'the ledger cannot be written' },
  EIO: BROKEN_DISK,
  SQLITE_IOERR: BROKEN_DISK,
  SQLITE_CORRUPT: DAMAGED,
  SQLITE_NOTADB: { ...DAMAGED, problem: 'the ledger is not a database' },
  SQLITE_BUSY: {
    code: 'LedgerBusy',
    problem: 'another process keeps the ledger locked',
    hint: 'Try again in a moment',
  },
  ENOENT: MISSING,
  ENOTDIR: MISSING,
  EEXIST: { code: 'NotAFolder', problem: 'it is a file', hint: 'Give the path of a folder' },
  EISDIR: { code: 'NotAFile', problem: 'it is a folder', hint: 'Give the path of a file' },
  ELOOP: { ...MISSING, problem: 'its symbolic links lead to each other' },
  ENAMETOOLONG: { ...MISSING, problem: 'the path is longer than the system allows' },
  EMFILE: TOO_MANY_FILES,
  ENFILE: TOO_MANY_FILES,
};

/** @returns what an error of the system or of SQLite means; undefined for another error */
export function systemFailureOf(error: object): SystemFailure | undefined {
  const found = findFailure(error);
  if (found === undefined) return undefined;
  const path = 'path' in error && typeof error.path === 'string' ? `${error.path}: ` : '';
  return { ...found, problem: `${path}${found.problem}` };
}

/** @returns why something has failed, for a message that names the path itself */
export function reasonOf(error: unknown): string {
  const found = typeof error === 'object' && error !== null ? findFailure(error) : undefined;
  return found?.problem ?? String(error).replace(/^Error: |, .*$/g, '');
}

function findFailure(error: object): SystemFailure | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const found = FAILURES[code] ?? FAILURES[/^SQLITE_[A-Z]+/.exec(code)?.[0] ?? ''];
  return found && { ...found, problem: `${found.problem} (${code})` };
}
