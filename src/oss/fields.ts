/** Form fields before the file: lower-case name -> value. OSS accepts names in any case (PostObject page). */
export type FormFields = ReadonlyMap<string, string>;

/** Fields of the signature, by lower-case name. */
export const AUTH_FIELDS = {
  v1: ['ossaccesskeyid', 'policy', 'signature'],
  v4: ['x-oss-signature-version', 'x-oss-credential', 'x-oss-date', 'x-oss-signature'],
  token: 'x-oss-security-token',
} as const;

/** Fields that decide whether a form is accepted. A form that has one after its file is refused. */
export const KEY_AND_AUTH_FIELDS: ReadonlySet<string> = new Set([
  'key',
  ...AUTH_FIELDS.v1,
  ...AUTH_FIELDS.v4,
  AUTH_FIELDS.token,
]);

const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'policy',
  'signature',
  'x-oss-signature',
  AUTH_FIELDS.token,
]);

/** @returns whether an error does not repeat the value of a field, by its lower-case name */
export function isSecretField(name: string): boolean {
  return SECRET_FIELDS.has(name);
}

const MAX_QUOTE_LENGTH = 1024;

/** Shortens a text of a client for an error. */
export function quote(text: string): string {
  return text.length > MAX_QUOTE_LENGTH ? `${text.slice(0, MAX_QUOTE_LENGTH)}...` : text;
}

/** @returns the value of a field; undefined when it is absent or empty */
export function valueOf(fields: FormFields, name: string): string | undefined {
  const value = fields.get(name);
  return value === '' ? undefined : value;
}
