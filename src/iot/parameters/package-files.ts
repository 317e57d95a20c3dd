import type { ClaimedFile } from '../../uploads/claim.ts';
import type { SignMethod } from '../../uploads/firmware-package.ts';
import { businessError } from '../errors.ts';
import { resolveFirmwareUrl } from './firmware-url.ts';
import type { ObjectHome } from './firmware-url.ts';
import { optional, quote, refusal, required } from './parameter.ts';
import type { Given, Parameter, Rule } from './parameter.ts';
import { atMost, integer, pattern } from './rules.ts';

const MAX_FILES = 20;
const DIGEST_LENGTHS: Readonly<Record<SignMethod, number>> = { MD5: 32, SHA256: 64 };

const digest = pattern(
  /^(?:[0-9a-f]{32}|[0-9a-f]{64})$/i,
  '32 (MD5) or 64 (SHA256) hexadecimal digits',
  'iot.firmware.InvalidFirmwareSign',
);
const md5Digest = pattern(
  /^[0-9a-f]{32}$/i,
  '32 hexadecimal digits',
  'iot.firmware.InvalidFirmwareSign',
);
const size = integer(
  [0, Number.MAX_SAFE_INTEGER],
  'an integer, the number of bytes',
  'iot.firmware.InvalidFirmwareSize',
);
const anyUrl: Rule<string> = {
  type: 'String',
  expected: 'a FirmwareUrl of GenerateOTAUploadURL',
  code: 'iot.firmware.MalformedFirmwareUrl',
  parse: (text) => text,
};
const fileName: Rule<string> = {
  ...atMost(32, 'iot.check.InvalidFormattedParameter'),
  expected: '1 to 32 characters long',
};

/** The names of the parameters that describe one file. */
export interface FileLabels {
  readonly url: string;
  readonly size: string;
  readonly sign: string;
  readonly md5: string;
}

/** A file to claim, and the names of its parameters. */
export interface NamedFile {
  readonly file: ClaimedFile;
  readonly labels: FileLabels;
}

const single = {
  url: optional('FirmwareUrl', 'The file of a package of one file.', anyUrl),
  sign: optional('FirmwareSign', 'Digest of the file, by SignMethod.', digest),
  size: optional('FirmwareSize', 'Size of the file in bytes.', size),
};

const entry = {
  name: required('Name', 'The name of the file, unique in the package.', fileName),
  url: required('Url', 'The FirmwareUrl of the file.', anyUrl, 'iot.firmware.NullFirmwareUrl'),
  sign: optional('SignValue', 'Digest of the file, by SignMethod.', digest),
  size: optional('Size', 'Size of the file in bytes.', size),
  md5: optional('FileMd5', 'MD5 of the file.', md5Digest),
};

const LIST = 'MultiFiles';

const multiFiles: Parameter<readonly Given[]> = {
  name: LIST,
  required: false,
  rule: {
    type: 'Array',
    expected: `MultiFiles.1 to at most MultiFiles.${MAX_FILES}`,
    code: 'iot.check.InvalidFormattedParameter',
  },
  about: 'The files of a package of several files.',
  entries: Object.values(entry),
  read: readEntries,
};

/** Every parameter about files. */
export const FILE_PARAMETERS: readonly Parameter<unknown>[] = [
  ...Object.values(single),
  multiFiles,
];

/**
 * Reads the files of a package: either FirmwareUrl with FirmwareSign and FirmwareSize, or MultiFiles.
 *
 * @throws BusinessError when they are missing or not valid
 */
export async function readFiles(
  given: Given,
  signMethod: SignMethod,
  home: ObjectHome,
): Promise<NamedFile[]> {
  const entries = multiFiles.read(given);
  if (entries.length === 0) return [await readSingle(given, signMethod, home)];
  for (const parameter of Object.values(single)) {
    if (parameter.read(given) === undefined) continue;
    const reason = 'cannot be given together with MultiFiles';
    throw refusal('iot.system.IllegalRequest', given, parameter.name, reason);
  }
  const files = await Promise.all(entries.map((each) => readEntry(each, signMethod, home)));
  rejectDuplicates(files, ({ file }) => file.name, 'iot.check.InvalidFormattedParameter', 'Name');
  rejectDuplicates(files, ({ file }) => file.key, 'iot.firmware.InvalidFirmwareUrl', 'Url');
  return files;
}

async function readSingle(
  given: Given,
  signMethod: SignMethod,
  home: ObjectHome,
): Promise<NamedFile> {
  const url = single.url.read(given);
  if (url === undefined) {
    throw refusal('iot.firmware.NullFirmwareUrl', given, single.url.name, 'must be given');
  }
  const labels = {
    url: 'FirmwareUrl',
    size: 'FirmwareSize',
    sign: 'FirmwareSign',
    md5: 'FirmwareSign',
  };
  const sign = readSign(single.sign, given, signMethod);
  const bytes = single.size.read(given);
  const file = {
    key: await readKey(url, labels.url, home),
    ...(sign !== undefined && { sign }),
    ...(bytes !== undefined && { size: bytes }),
  };
  return { file, labels };
}

async function readEntry(
  given: Given,
  signMethod: SignMethod,
  home: ObjectHome,
): Promise<NamedFile> {
  const labelOf = ({ name }: Parameter<unknown>): string => given.prefix + name;
  const labels = {
    url: labelOf(entry.url),
    size: labelOf(entry.size),
    sign: labelOf(entry.sign),
    md5: labelOf(entry.md5),
  };
  const name = entry.name.read(given);
  const key = await readKey(entry.url.read(given), labels.url, home);
  const sign = readSign(entry.sign, given, signMethod);
  const bytes = entry.size.read(given);
  const md5 = entry.md5.read(given);
  const file = {
    name,
    key,
    ...(sign !== undefined && { sign }),
    ...(bytes !== undefined && { size: bytes }),
    ...(md5 !== undefined && { md5 }),
  };
  return { file, labels };
}

function readSign(
  parameter: Parameter<string | undefined>,
  given: Given,
  signMethod: SignMethod,
): string | undefined {
  const sign = parameter.read(given);
  const length = DIGEST_LENGTHS[signMethod];
  if (sign === undefined || sign.length === length) return sign;
  const reason = `must be ${length} hexadecimal digits, because SignMethod is ${signMethod}`;
  throw refusal('iot.firmware.InvalidFirmwareSign', given, parameter.name, reason);
}

async function readKey(url: string, parameter: string, home: ObjectHome): Promise<string> {
  const resolved = resolveFirmwareUrl(url, home);
  if (resolved.kind === 'keys') return home.chooseKey(resolved.keys);
  const code =
    resolved.kind === 'malformed'
      ? 'iot.firmware.MalformedFirmwareUrl'
      : 'iot.firmware.InvalidFirmwareUrl';
  throw businessError(code, { parameter, reason: `${resolved.reason}.` });
}

function rejectDuplicates(
  files: readonly NamedFile[],
  identify: (file: NamedFile) => string | undefined,
  code: 'iot.check.InvalidFormattedParameter' | 'iot.firmware.InvalidFirmwareUrl',
  name: string,
): void {
  const identities = files.map(identify);
  for (const [index, identity] of identities.entries()) {
    const first = identities.indexOf(identity);
    if (first === index) continue;
    const reason = `is the same as that of ${LIST}.${first + 1}: ${quote(identity ?? '')}`;
    throw refusal(code, { prefix: `${LIST}.${index + 1}.` }, name, reason);
  }
}

/** Groups `MultiFiles.N.Field` by N, in numeric order: sorted as text, 10 would come before 2. */
function readEntries({ prefix, values }: Given): Given[] {
  const names = Array.from(values.keys()).filter((name) => name.startsWith(`${LIST}.`));
  const numbers = new Set(names.map((name) => readFileNumber(name, prefix)));
  const last = Math.max(0, ...numbers);
  return Array.from({ length: last }, (_, index) => {
    const name = `${LIST}.${index + 1}`;
    if (numbers.has(index + 1)) return { values, prefix: `${name}.` };
    const reason = `is missing, but there is ${LIST}.${last}`;
    throw refusal('iot.check.InvalidFormattedParameter', { prefix }, name, reason);
  });
}

function readFileNumber(name: string, prefix: string): number {
  const [, digits] = /^MultiFiles\.([1-9]\d*)\.\w+$/.exec(name) ?? [];
  if (digits === undefined) {
    const reason = `must be like ${LIST}.1.Name, but is ${quote(name)}`;
    throw refusal('iot.check.InvalidFormattedParameter', { prefix }, LIST, reason);
  }
  if (Number(digits) <= MAX_FILES) return Number(digits);
  const reason = `may have at most ${MAX_FILES} files, but there is ${quote(name)}`;
  throw refusal('iot.firmware.ParameterSizeExceedMax', { prefix }, LIST, reason);
}
