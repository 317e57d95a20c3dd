import { findExcessHeader, MAX_HEADER_BYTES } from '../uploads/header-limit.ts';
import { argument, hint, ossError } from './errors.ts';
import type { OssError } from './errors.ts';
import { quote, valueOf } from './fields.ts';
import type { FormFields } from './fields.ts';

/** Other inputs that decide which headers are stored. */
export interface HeaderContext {
  /** The type that the object gets; undefined for the default. */
  readonly contentType: string | undefined;
  /** `x-oss-object-acl` of the request; the form field of this name takes precedence (OSS PostObject page). */
  readonly requestAcl: string | undefined;
  /** Whether the operator allows reads without a signature. */
  readonly publicRead: boolean;
}

const DEFAULT_TYPE = 'application/octet-stream';
/** Stored and replayed unchanged (OSS PostObject page). */
const REPLAYED = ['cache-control', 'content-disposition', 'content-encoding', 'expires'];
const META_PREFIX = 'x-oss-meta-';

const ACL = 'x-oss-object-acl';
const ACLS: readonly string[] = ['default', 'private', 'public-read', 'public-read-write'];
const STORAGE_CLASS = 'x-oss-storage-class';
// That a form may ask for DeepColdArchive is unverified.
const STORAGE_CLASSES: readonly string[] = [
  'Standard',
  'IA',
  'Archive',
  'ColdArchive',
  'DeepColdArchive',
];
const ENCRYPTION = 'x-oss-server-side-encryption';
const ENCRYPTION_KEY = 'x-oss-server-side-encryption-key-id';
const DATA_ENCRYPTION = 'x-oss-server-side-data-encryption';
const ENCRYPTIONS: readonly string[] = ['AES256', 'KMS', 'SM4'];

/** Headers that OSS returns for an upload with server-side encryption. */
export const ENCRYPTION_HEADERS = [ENCRYPTION, ENCRYPTION_KEY, DATA_ENCRYPTION];

/**
 * Returns the headers to store with an object, by lower-case name, without characters that could end a header.
 * Encryption and storage class are only stored; they have no effect.
 * @throws OssError for a value that OSS does not know, a value with characters that a header cannot have, and too many
 *   bytes
 */
export function storedHeaders(
  fields: FormFields,
  context: HeaderContext,
): Readonly<Record<string, string>> {
  const headers = new Map([['content-type', context.contentType ?? DEFAULT_TYPE]]);
  const acl = valueOf(fields, ACL) ?? context.requestAcl;
  checkAcl(acl, context.publicRead);
  // Without an ACL the object has `default`: it can be read like the bucket.
  if (acl !== undefined && acl !== 'default') headers.set(ACL, acl);
  for (const name of REPLAYED) copy(fields, name, headers);
  copyStorage(fields, headers);
  for (const [name, value] of fields) if (name.startsWith(META_PREFIX)) headers.set(name, value);
  checkTotal(headers);
  for (const [name, value] of headers) checkHeader(name, value);
  return Object.fromEntries(headers);
}

function copy(fields: FormFields, name: string, headers: Map<string, string>): void {
  const value = valueOf(fields, name);
  if (value !== undefined) headers.set(name, value);
}

function checkAcl(acl: string | undefined, publicRead: boolean): void {
  if (acl === undefined) return;
  if (!ACLS.includes(acl)) {
    const elements = { ...argument(ACL, quote(acl)), ...hint(`one of ${ACLS.join(', ')}`) };
    throw ossError('InvalidArgument.acl', { elements });
  }
  if (acl.startsWith('public-') && !publicRead) {
    throw ossError('AccessDenied.publicAcl', { values: { acl }, elements: argument(ACL, acl) });
  }
}

function copyStorage(fields: FormFields, headers: Map<string, string>): void {
  const storageClass = valueOf(fields, STORAGE_CLASS);
  if (storageClass !== undefined && !STORAGE_CLASSES.includes(storageClass)) {
    throw ossError('InvalidArgument.storageClass', {
      values: { allowed: STORAGE_CLASSES.join(', ') },
      elements: argument(STORAGE_CLASS, quote(storageClass)),
    });
  }
  const encryption = valueOf(fields, ENCRYPTION);
  if (encryption !== undefined && !ENCRYPTIONS.includes(encryption)) {
    throw unknownEncryption(ENCRYPTION, encryption);
  }
  for (const name of [ENCRYPTION_KEY, DATA_ENCRYPTION]) {
    const value = valueOf(fields, name);
    if (value !== undefined && encryption !== 'KMS') {
      const elements = argument(name, quote(value));
      throw ossError('InvalidArgument.encryptionKey', { values: { field: name }, elements });
    }
  }
  const dataEncryption = valueOf(fields, DATA_ENCRYPTION);
  if (dataEncryption !== undefined && dataEncryption !== 'SM4') {
    throw unknownEncryption(DATA_ENCRYPTION, dataEncryption);
  }
  for (const name of [STORAGE_CLASS, ...ENCRYPTION_HEADERS]) copy(fields, name, headers);
}

function unknownEncryption(name: string, value: string): OssError {
  return ossError('InvalidEncryptionAlgorithmError', { elements: argument(name, quote(value)) });
}

function checkTotal(headers: ReadonlyMap<string, string>): void {
  const name = findExcessHeader(headers);
  if (name === undefined) return;
  throw ossError('InvalidArgument.headersTooLarge', {
    values: { maximum: String(MAX_HEADER_BYTES) },
    elements: argument(quote(name), quote(headers.get(name) ?? '')),
  });
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const INVALID_CHARACTERS = /[\u{0}-\u{8}\u{a}-\u{1f}\u{7f}]/u;

function checkHeader(name: string, value: string): void {
  if (HEADER_NAME.test(name) && !INVALID_CHARACTERS.test(value)) return;
  throw ossError('InvalidArgument.headerCharacters', {
    values: { field: quote(name) },
    elements: argument(quote(name), quote(value)),
  });
}
