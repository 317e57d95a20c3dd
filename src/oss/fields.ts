/** Form fields before the file: lower-case name -> value. OSS takes their names in any case (PostObject page). */
export type FormFields = ReadonlyMap<string, string>;

/** Fields that prove who has made the form, by lower-case name. */
export const AUTH_FIELDS = {
  v1: ['ossaccesskeyid', 'policy', 'signature'],
  v4: ['x-oss-signature-version', 'x-oss-credential', 'x-oss-date', 'x-oss-signature'],
  token: 'x-oss-security-token',
} as const;

/** Fields that mean nothing, or something else, when they come after the file. */
export const JUDGED_FIELDS: ReadonlySet<string> = new Set([
  'key',
  ...AUTH_FIELDS.v1,
  ...AUTH_FIELDS.v4,
  AUTH_FIELDS.token,
]);

const LONGEST_QUOTE = 1024;

/** @returns a client's text, short enough to be repeated in an error */
export function quote(text: string): string {
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}...` : text;
}

/** @returns the value of a field; undefined when it is absent or empty */
export function valueOf(fields: FormFields, name: string): string | undefined {
  const value = fields.get(name);
  return value === '' ? undefined : value;
}
