import { hash } from 'node:crypto';
import type { FileSuffix } from './file-suffix.ts';

/**
 * Returns the folder name of an account, or of one instance of an account. The name does not reveal either.
 *
 * @param instanceId - absent when the account lists no instances
 * @returns 32 lower-case hexadecimal digits, always the same for the same arguments
 */
export function tenantSegment(accountId: string, instanceId: string | undefined): string {
  // JSON, because plain concatenation would give ("a", "bc") and ("ab", "c") the same name.
  const identity = JSON.stringify([accountId, instanceId ?? null]);
  return hash('sha256', identity, 'hex').slice(0, 32);
}

/**
 * Makes the key of an upload, in the format of the samples of GenerateOTAUploadURL.
 *
 * @param tenant - see {@link tenantSegment}
 * @param objectName - unique in the tenant
 */
export function otaObjectKey(tenant: string, objectName: string, suffix: FileSuffix): string {
  return `ota/${tenant}/${objectName}.${suffix}`;
}

/** Whether a key is one that was made for a tenant. */
export function isKeyOfTenant(key: string, tenant: string): boolean {
  return key.startsWith(`ota/${tenant}/`);
}

/** @returns the tenant that a key was made for; undefined for other keys */
export function tenantOfKey(key: string): string | undefined {
  return /^ota\/([\da-f]{32})\//.exec(key)?.[1];
}

/** The problem of an object key. `reserved`: the gateway uses it itself. */
export type ObjectKeyProblem = 'empty' | 'tooLong' | 'invalid' | 'reserved';

const MAX_KEY_BYTES = 1023;
const LEADING_SLASH = /^[/\\]/;
// UTF-8 has no lone surrogates; with the `u` flag the range matches only these. That OSS refuses NUL is unverified.
const INVALID = /[\0\u{d800}-\u{dfff}]/u;
const RESERVED = /^_gateway(?:\/|$)/;

/**
 * Checks an object key: 1 to 1023 bytes of UTF-8, no leading `/` or `\` (OSS "Object naming conventions"), no NUL, and
 * neither `_gateway` nor a key below it. Other control characters are allowed (the live suites of Alibaba's SDKs store
 * them).
 *
 * @returns undefined when the key is valid
 */
export function findObjectKeyProblem(key: string): ObjectKeyProblem | undefined {
  if (key === '') return 'empty';
  if (Buffer.byteLength(key, 'utf8') > MAX_KEY_BYTES) return 'tooLong';
  if (LEADING_SLASH.test(key) || INVALID.test(key)) return 'invalid';
  if (RESERVED.test(key)) return 'reserved';
  return undefined;
}

/**
 * Returns the keys that the path of a URL may mean, when the host does not say whether the path begins with the bucket:
 * first the whole path, then the rest after the bucket. A key may begin with the name of the bucket, too.
 *
 * @param path - without its leading slash
 * @returns the last one is what a path-style client means; empty for the bucket itself
 */
export function keysOfPath(path: string, bucket: string): readonly [string, ...string[]] {
  if (path === bucket) return [path, ''];
  return path.startsWith(`${bucket}/`) ? [path, path.slice(bucket.length + 1)] : [path];
}

/**
 * Replaces each `${filename}` of a key by the name of the uploaded file without its folders (OSS PostObject reference;
 * how folders are cut off, and the result for an absent name, are unverified). The policy is evaluated before this.
 *
 * @param filename - the name in the file part
 * @returns the key; one that is too long for any object is cut, but still too long
 */
export function expandFilename(key: string, filename: string | undefined): string {
  const [head = '', ...rest] = key.split('${filename}');
  const basename = basenameOf(filename ?? '');
  let expanded = head;
  for (const piece of rest) {
    // A field of 2 MB can have so many placeholders that the expanded key would fill the memory.
    if (expanded.length > MAX_KEY_BYTES) break;
    expanded += basename + piece;
  }
  return expanded;
}

const WINDOWS_PATH = /^(?:[a-z]:)?\\/i;

/** Cuts off the folders. A backslash separates folders in a complete Windows path; elsewhere it is part of the name. */
function basenameOf(filename: string): string {
  const folders = WINDOWS_PATH.test(filename) ? /^[^]*[/\\]/ : /^[^]*\//;
  return filename.replace(folders, '');
}
