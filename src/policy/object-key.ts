import { createHash } from 'node:crypto';

/** The values of FileSuffix (IoT Platform, GenerateOTAUploadURL). */
export const FILE_SUFFIXES = ['bin', 'dav', 'apk', 'tar', 'gz', 'tar.gz', 'zip', 'gzip'] as const;

export type FileSuffix = (typeof FILE_SUFFIXES)[number];

/** @returns whether the text is a FileSuffix; case counts, and there is no leading dot. */
export function isFileSuffix(text: string): text is FileSuffix {
  return FILE_SUFFIXES.some((suffix) => suffix === text);
}

/**
 * Names the folder of an account, or of one instance of an account, without telling which it is.
 *
 * @param instanceId - absent when the account lists no instances
 * @returns 32 lower-case hexadecimal digits, the same for the same arguments always
 */
export function tenantSegment(accountId: string, instanceId: string | undefined): string {
  // JSON keeps apart what plain concatenation would not: ("a", "bc") and ("ab", "c").
  const identity = JSON.stringify([accountId, instanceId ?? null]);
  return createHash('sha256').update(identity).digest('hex').slice(0, 32);
}

/**
 * Makes the key of an upload, in the shape of the samples of GenerateOTAUploadURL.
 *
 * @param tenant - see {@link tenantSegment}
 * @param objectName - unique in the tenant
 */
export function otaObjectKey(tenant: string, objectName: string, suffix: FileSuffix): string {
  return `ota/${tenant}/${objectName}.${suffix}`;
}

/** What is wrong with an object key. `reserved`: it is the gateway's own. */
export type ObjectKeyProblem = 'empty' | 'tooLong' | 'invalid' | 'reserved';

const MAX_KEY_BYTES = 1023;
const LEADING_SLASH = /^[/\\]/;
// Outside the Char production of XML 1.0: answers name keys in XML, which could not carry these. With the `u`
// flag the surrogate range matches lone surrogates only.
const NOT_XML = /[\u{0}-\u{8}\u{b}\u{c}\u{e}-\u{1f}\u{d800}-\u{dfff}\u{fffe}\u{ffff}]/u;
const RESERVED = /^_gateway(?:\/|$)/;

/**
 * Judges an object key: 1 to 1023 bytes of UTF-8, no leading `/` or `\` (OSS "Object naming conventions"), only
 * characters of XML 1.0, and not `_gateway` or below it.
 *
 * @returns undefined when the key is good
 */
export function findObjectKeyProblem(key: string): ObjectKeyProblem | undefined {
  if (key === '') return 'empty';
  if (Buffer.byteLength(key, 'utf8') > MAX_KEY_BYTES) return 'tooLong';
  if (LEADING_SLASH.test(key) || NOT_XML.test(key)) return 'invalid';
  if (RESERVED.test(key)) return 'reserved';
  return undefined;
}

/**
 * Replaces each `${filename}` of a key by the name of the uploaded file, less its folders (OSS PostObject
 * reference; how folders are cut and what an absent name gives are unverified). The policy is judged before this.
 *
 * @param filename - as the file part gives it
 * @returns the key; once it is too long for any object the rest is left off
 */
export function expandFilename(key: string, filename: string | undefined): string {
  const [head = '', ...rest] = key.split('${filename}');
  const basename = (filename ?? '').replace(/^[^]*[/\\]/, '');
  let expanded = head;
  for (const piece of rest) {
    // A field of two megabytes holds the placeholder often enough to fill the memory.
    if (expanded.length > MAX_KEY_BYTES) break;
    expanded += basename + piece;
  }
  return expanded;
}
