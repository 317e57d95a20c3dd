import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { DEST_VERSION, FIRMWARE_NAME } from '../iot/parameters/rules.ts';
import { hasErrorCode } from '../lib/errno.ts';
import { quoted } from '../lib/quoted.ts';
import { suffixOf } from '../policy/file-suffix.ts';
import { CommandError, UsageError } from './command-error.ts';

/** A file that can be uploaded. */
export interface LocalFile {
  readonly path: string;
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** FileSuffix. */
  readonly suffix: string;
}

/** A firmware package to make. */
export interface PlannedPackage {
  readonly name: string;
  readonly version: string;
  readonly files: readonly LocalFile[];
}

/** What the user has asked for. */
export interface UploadWish {
  readonly name: string;
  readonly version: string;
  /** One package for each file. */
  readonly each: boolean;
  /** Undefined: that of each file name. */
  readonly suffix: string | undefined;
}

const MAX_FILES = 20;
const MAX_FILE_NAME = 32;

/**
 * Checks everything that can be checked before a byte is sent.
 * @throws CommandError that says what is wrong with the first file or name that cannot be used
 */
export async function planUpload(
  paths: readonly string[],
  wish: UploadWish,
): Promise<readonly PlannedPackage[]> {
  requireVersion(wish.version);
  requireName(wish.name, '--name');
  const files: LocalFile[] = [];
  for (const path of paths) files.push(await describeFile(path, wish.suffix));
  const { name, version } = wish;
  if (wish.each) {
    const packages = files.map((file) => ({
      name: nameOfEach(name, file),
      version,
      files: [file],
    }));
    requireUnique(
      packages.map((each) => each.name),
      'With --each, two packages would be called',
    );
    return packages;
  }
  requireFitting(files);
  return [{ name, version, files }];
}

/** @throws UsageError unless the text can be a DestVersion */
export function requireVersion(version: string): void {
  if (DEST_VERSION.parse(version) !== undefined) return;
  throw invalid('--version', version, DEST_VERSION.expected);
}

/** @throws UsageError unless the text can be a FirmwareName */
export function requireName(name: string, flag: string): void {
  if (FIRMWARE_NAME.parse(name) !== undefined) return;
  throw invalid(flag, name, FIRMWARE_NAME.expected);
}

function invalid(flag: string, text: string, expected: string): UsageError {
  const message = `${flag}: expected ${expected}, found ${quoted(text)}`;
  return new UsageError(message, 'Nothing was sent');
}

function nameOfEach(name: string, file: LocalFile): string {
  const stem = file.name.replace(new RegExp(`\\.${file.suffix.replace('.', '\\.')}$`, 'i'), '');
  // A FirmwareName has no dots and spaces.
  const full = `${name}-${stem.replace(/[.\s]+/g, '_')}`;
  requireName(full, `With --each, the package of ${quoted(file.path)}`);
  return full;
}

function requireUnique(names: readonly string[], problem: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new CommandError('InvalidName', `${problem} ${quoted(twice)}`, 'Rename a file');
}

/** Checks the files of one package as CreateOTAFirmware does. */
function requireFitting(files: readonly LocalFile[]): void {
  if (files.length === 1) return;
  if (files.length > MAX_FILES) {
    const message = `a package has at most ${String(MAX_FILES)} files, found ${String(files.length)}`;
    throw new CommandError('TooManyFiles', message, 'Give --each to make a package of each file');
  }
  requireUnique(
    files.map(({ name }) => name),
    'A package cannot have two files called',
  );
  const long = files.find(({ name }) => Array.from(name).length > MAX_FILE_NAME);
  if (long === undefined) return;
  throw new CommandError(
    'InvalidName',
    `${quoted(long.name)} is longer than the ${String(MAX_FILE_NAME)} characters that a file of a package may have`,
    'Rename the file',
  );
}

async function describeFile(path: string, suffix: string | undefined): Promise<LocalFile> {
  const size = await sizeOfFile(path);
  const name = basename(path);
  if (size > 0) return { path, name, size, suffix: suffix ?? suffixOf(name) };
  const hint = 'Check how it was made: the platform refuses empty files';
  throw new CommandError('EmptyFile', `${quoted(path)} is empty: it has 0 bytes`, hint);
}

/** @throws CommandError that says what the path is instead of a file */
async function sizeOfFile(path: string): Promise<number> {
  const shown = quoted(path);
  try {
    await access(path, constants.R_OK);
    const found = await stat(path);
    if (found.isFile()) return found.size;
  } catch (cause) {
    const [problem, hint] = hasErrorCode(cause, 'EACCES')
      ? ['cannot be read by this user', 'Check its owner and mode']
      : ['does not exist', 'Check the path of the file'];
    if (!['ENOENT', 'ENOTDIR', 'EACCES'].some((code) => hasErrorCode(cause, code))) throw cause;
    throw new CommandError('UnreadableFile', `${shown} ${problem}`, hint, { cause });
  }
  const hint = 'Pack a folder into one file, for example with tar';
  throw new CommandError('UnreadableFile', `${shown} is not a file`, hint);
}
